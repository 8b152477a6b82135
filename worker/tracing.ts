/**
 * Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says where they go: the SDK's plugin makes a span of each
 * execution, activity and message. The packages are no dependency of ours; who wants traces installs them beside.
 */
import type { WorkerPlugin } from '@temporalio/worker';
import { z } from 'zod';
import { UsageError } from '../plan/errors';

export const TRACING_PACKAGES = [
  '@temporalio/interceptors-opentelemetry@1.24.0',
  '@opentelemetry/sdk-trace-base@^1.30.1',
  '@opentelemetry/resources@^1.30.1',
  '@opentelemetry/exporter-trace-otlp-http@^0.57.2',
];

export interface Tracing {
  plugin: WorkerPlugin;
  /** Sends what is left. */
  close(): Promise<void>;
}

type Make<Made> = new (...options: object[]) => Made;
const classOf = <Made>() => z.custom<Make<Made>>((value) => typeof value === 'function');

interface Processor {
  shutdown(): Promise<void>;
}

const Plugin = z.object({ OpenTelemetryPlugin: classOf<WorkerPlugin>() });
const Base = z.object({
  BatchSpanProcessor: classOf<Processor>(),
  BasicTracerProvider: classOf<{ getTracer(name: string): object }>(),
});
const Resources = z.object({ Resource: classOf<object>() });
const Exporter = z.object({ OTLPTraceExporter: classOf<object>() });

/**
 * @returns null where nobody asked for traces
 * @throws UsageError where a package is missing or not of the version that the plugin works with
 */
export function loadTracing(env: NodeJS.ProcessEnv, load: (name: string) => unknown = require): Tracing | null {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return null;
  const part = <Shape extends z.ZodType>(name: string, shape: Shape): z.infer<Shape> => {
    try {
      return shape.parse(load(name));
    } catch (cause) {
      const why = cause instanceof z.ZodError ? 'is of another version' : 'is not installed';
      throw new UsageError(
        `OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and the package ${name} ${why}.`,
        `Install what they need beside planwright: npm install ${TRACING_PACKAGES.join(' ')} — or unset the variable.`,
        { cause },
      );
    }
  };
  const { OpenTelemetryPlugin } = part('@temporalio/interceptors-opentelemetry', Plugin);
  const { BatchSpanProcessor, BasicTracerProvider } = part('@opentelemetry/sdk-trace-base', Base);
  const { Resource } = part('@opentelemetry/resources', Resources);
  const { OTLPTraceExporter } = part('@opentelemetry/exporter-trace-otlp-http', Exporter);
  const resource = new Resource({ 'service.name': env.OTEL_SERVICE_NAME || 'planwright-worker' });
  // The exporter reads its endpoint, headers and time limit from the OTEL_ variables itself.
  const spanProcessor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [spanProcessor] });
  const plugin = new OpenTelemetryPlugin({ resource, spanProcessor, tracer: provider.getTracer('planwright') });
  return { plugin, close: () => spanProcessor.shutdown() };
}
