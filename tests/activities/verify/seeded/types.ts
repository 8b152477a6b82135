/** A good file of a type, and ten ways in which a model or a person gets such a file wrong. */
export interface Corpus {
  verifier: string;
  path: string;
  good: string;
  siblings?: Record<string, string>;
  /** The share of the faults that must be found, in percent. */
  wanted: number;
  /** What is wrong, and what is replaced by what in the good file; each replaces the first place. */
  faults: readonly (readonly [name: string, from: string, to: string])[];
}
