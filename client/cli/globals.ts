/** Options that every command takes. */
export const GLOBAL_OPTIONS: readonly (readonly [flags: string, about: string])[] = [
  ['-C <dir>', 'work in this directory'],
  ['--json', 'JSON on stdout: one document, or NDJSON from a command that follows a plan'],
  ['--quiet', 'no progress and no hints on stderr'],
  ['--no-color', 'no colour (also NO_COLOR)'],
  ['--address <host:port>', 'the Temporal server (also TEMPORAL_ADDRESS); none: the embedded one'],
  ['--namespace <name>', "Temporal's namespace (also TEMPORAL_NAMESPACE)"],
  ['--profile <name>', 'a profile of Temporal’s TOML configuration (also TEMPORAL_PROFILE)'],
];
/** Those of them that take a word. */
export const WITH_VALUE = ['-C', '--address', '--namespace', '--profile'];
