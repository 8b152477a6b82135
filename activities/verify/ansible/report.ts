import type { Finding } from '../../../plan/types';

/** Tells a finding; the path leads to what it is about. */
export type Report = (rule: string, severity: Finding['severity'], message: string, path: (string | number)[]) => void;
