/** What a workspace says of itself. No code, no I/O, as in types.ts. */

/** The content of a workspace object: what generation is allowed to know of the project. */
export interface WorkspaceSnapshot {
  schema: 'planwright.workspace/1';
  facts: WorkspaceFacts;
  /** Existing files that a skill may touch or that facts were read from: path → SHA-256 of an object, mode. */
  files: { [path: string]: { sha256: string; mode: string; bytes: number } };
  /** What was asked for and not read, with the reason; "." stands for the workspace where a limit stopped the walk. */
  skipped?: { path: string; reason: string }[];
}

export type Language = 'node' | 'python' | 'go' | 'rust' | 'java' | 'unknown';

/** One command and where it was found, for example `{ run: "npm test", source: "package.json scripts.test" }`. */
export interface FoundCommand {
  run: string;
  source: string;
}

/** One package of a monorepo, read as if its directory were the workspace; what is installed and locked is the root's. */
export type PackageFacts = { path: string } & Pick<
  WorkspaceFacts,
  | 'name'
  | 'version'
  | 'language'
  | 'typescript'
  | 'library'
  | 'cli'
  | 'build'
  | 'test'
  | 'start'
  | 'scripts'
  | 'entryPoint'
  | 'buildOutput'
  | 'ports'
  | 'healthPath'
  | 'metricsPath'
  | 'services'
  | 'envNames'
>;

/** What the workspace says about itself. Absent means: not found, never guessed. */
export interface WorkspaceFacts {
  /** Project name from its manifest, or the directory's base name. */
  name: string;
  language: Language;
  /** Further languages seen, most files first. */
  otherLanguages: Language[];
  typescript: boolean;
  /** True where this is published as a library (nothing to start). */
  library: boolean;
  /** True where this is a command-line tool: `start` runs it once, and it serves no port. */
  cli?: boolean;
  /** The version to use by default (major or major.minor, as the ecosystem's images are tagged), and where it was read. */
  runtime: { version: string; source: string } | null;
  /** Versions worth testing against, oldest first; never empty when `runtime` is set. */
  testVersions: string[];
  /** A version range as the manifest states it, for example ">=18". */
  engines: string | null;
  packageManager: { name: string; version: string | null; lockfile: string | null } | null;
  install: FoundCommand | null;
  build: FoundCommand | null;
  test: FoundCommand | null;
  lint: FoundCommand | null;
  start: FoundCommand | null;
  typecheck: FoundCommand | null;
  /** All script names of the manifest (package.json scripts, Makefile targets), for prompts. */
  scripts: { [name: string]: string };
  /** The file a process starts from, for example "server.js". */
  entryPoint: string | null;
  /** Where the build puts its output, for example "dist". */
  buildOutput: string | null;
  ports: { port: number; source: string }[];
  healthPath: string | null;
  /** Backing services the dependencies speak of: "postgres", "redis", "mysql", "mongodb", "rabbitmq", "kafka". */
  services: string[];
  /** Names (never values) of environment variables that the code or `.env.example` names. */
  envNames: string[];
  /** How many packages an install for production brings by the manifest; 0: none, so it makes no folder for them. */
  runtimeDependencies?: number;
  /** The schema that Prisma's client is generated from, where the client is a dependency. */
  prismaSchema?: string;
  /** Native add-ons or system packages that a slim image lacks, by dependency name. */
  nativeDependencies: string[];
  defaultBranch: string | null;
  gitRemote: string | null;
  /** Existing DevOps files, by skill name. */
  existing: { [skill: string]: string[] };
  /** The release that the manifest states, for example "1.4.2"; left out where there is none or only a placeholder. */
  version?: string;
  /** The route at which the code serves metrics in Prometheus' format; left out where none is found. */
  metricsPath?: string;
  /** Sub-packages of a monorepo: relative directories. */
  packages: string[];
  /** What each of them says of itself, at most 40; left out where there are none. */
  packageFacts?: PackageFacts[];
  /** Top-level names of the workspace, directories with a trailing slash; at most 100. */
  topLevel: string[];
}
