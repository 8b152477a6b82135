import type { Language } from '../../plan/types';
import { codeMatches } from './finding';
import type { Tree } from './tree';

/** Libraries that serve metrics in Prometheus' format, with the route that they document, or null where the code chooses it. */
const EXPORTERS: readonly (readonly [library: RegExp, route: string | null])[] = [
  [/^(express-prom-bundle|fastify-metrics|prometheus-flask-exporter|prometheus-fastapi-instrumentator)$/, '/metrics'],
  [/^micrometer-registry-prometheus$/, '/actuator/prometheus'],
  [/^(prom-client|prometheus-client|starlette-exporter|django-prometheus)$/, null],
  [/^(github\.com\/prometheus\/client_golang|prometheus|metrics-exporter-prometheus|axum-prometheus)$/, null],
];
const ROUTE = /['"`](\/(?:[\w-]{1,40}\/){0,3}metrics)\/?['"`]/g;

/**
 * The route at which the project's own code serves metrics. Both must be there: a library that exports, and a route that the
 * code or the library's documentation names. Null otherwise.
 */
export function findMetricsPath(tree: Tree, language: Language, dependencies: readonly string[]): string | null {
  const exporter = EXPORTERS.find(([library]) => dependencies.some((name) => library.test(name)));
  if (!exporter || language === 'unknown') return null;
  for (const path of tree.sources) {
    for (const match of codeMatches(tree.text(path) ?? '', ROUTE)) return match[1] ?? null;
  }
  return exporter[1];
}
