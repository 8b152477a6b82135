import type { JsonObject, Usage } from '../../plan/types';

/** One question to a model. */
export interface ModelRequest {
  /** Name of the schema that the answer must have: `task_graph` or `generated_files`. */
  schemaName: 'task_graph' | 'generated_files';
  /** JSON Schema, fit for OpenAI's strict mode. */
  schema: JsonObject;
  system: string;
  user: string;
  model: string;
  temperature: number;
  seed: number | null;
  /** For the whole call, in milliseconds; it is aborted then. */
  timeoutMs: number;
  /** Aborts the call; its reason is what is thrown. */
  signal?: AbortSignal;
  /** Called twice a second while the call is out, with the tokens that were written so far, by estimate. */
  onProgress?: (tokens: number) => void;
}

/** An answer as it came; nothing of it is trusted yet. */
export interface Completion {
  text: string;
  /** The model that answered, as it names itself. */
  model: string;
  responseId: string | null;
  finishReason: string | null;
  /** Why the model would not answer; null where it did. */
  refusal: string | null;
  /** What was sent in the request that was answered; null where the server refused the parameter. */
  temperatureSent: number | null;
  seedSent: number | null;
  /** `calls` counts every request that reached the server, the refused ones too. */
  usage: Usage;
}

export interface ModelProvider {
  name: string;
  /** @throws ApplicationFailure as `errors.ts` says */
  complete(request: ModelRequest): Promise<Completion>;
}
