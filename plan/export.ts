/** A plan as it is carried from one workspace to another: its graph, and the artifacts that were generated for it. */
import type { ArtifactFile, JsonObject, ModelSettings, Risk, RiskReason, SkillRecord, TaskGraph } from './types';
import type { TaskRevision } from './view';

export const EXPORT_SCHEMA = 'planwright.export/1';

/** What a generation made, with what a new workflow has to know to take it as it is. */
export interface CarriedArtifact {
  files: ArtifactFile[];
  /** By the skill's declared schema: references of other tasks read it. */
  output: JsonObject;
  skill: SkillRecord | null;
  modelReturned: string | null;
  /** Number of the generation, and of the one that was asked first. */
  generation: number;
  seed: number;
  feedback: string[];
  settings: ModelSettings;
}

export interface CarriedTask {
  id: string;
  /** Null: it is still to be generated. */
  artifact: CarriedArtifact | null;
  revisions: TaskRevision[];
}

export interface CarriedPlan {
  /** The plan that it was. */
  id: string;
  name: string;
  goal: string;
  settings: ModelSettings;
  risk: Risk;
  riskReasons: RiskReason[];
  /** With what it was made, so that what differs here is told. `updatedAt`: ISO 8601. */
  madeWith: { planwrightVersion: string; policySnapshot: string; gitHead: string | null; updatedAt: string };
  graph: TaskGraph;
  /** In the order of the graph. */
  tasks: CarriedTask[];
}

/** What a workflow tells of a task beside its view, where its artifact can be carried. */
export interface CarriedFacts {
  [task: string]: Pick<CarriedArtifact, 'generation' | 'seed' | 'feedback' | 'settings'>;
}

/** One file that artifacts were made for: what stood there (SHA-256 hex; null: nothing), and what is there once they are written. */
export interface Base {
  task: string;
  path: string;
  base: string | null;
  /** The artifact's own content: where it stands there already, nothing is lost. */
  made: string;
}

/**
 * The bases of a plan's artifacts. A file that another of its artifacts makes is no base: it is not there yet.
 *
 * @param artifacts of tasks that run after what they depend on; ids in any order
 */
export function basesOfArtifacts(artifacts: readonly { id: string; files: readonly ArtifactFile[] }[]): Base[] {
  const made = new Set(artifacts.flatMap(({ files }) => files.map(({ path, sha256 }) => `${path}\0${sha256}`)));
  return artifacts.flatMap(({ id, files }) =>
    files
      .filter(({ path, sha256, preSha256 }) => preSha256 === sha256 || !made.has(`${path}\0${preSha256}`))
      .map(({ path, sha256, preSha256 }) => ({ task: id, path, base: preSha256, made: sha256 })),
  );
}
