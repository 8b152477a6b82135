import { DockerfileParser } from 'dockerfile-ast';
import { ValidationCode, validate } from 'dockerfile-utils';
import type { Finding } from '../../plan/types';
import { copySourceFindings, instructionFindings } from './dockerfile-rules';
import { baseFindings, readStages, stageReferenceFindings } from './dockerfile-stages';
import { libraryVersion } from './library';
import type { Subject, Verifier, VerifyContext } from './types';

/** The engine is quadratic in instructions (20,000 took 20 s) and in brackets. */
const MAX_LENGTH = 65_536;
const MAX_LINES = 2000;

/** Flags of BuildKit frontends that came after the library's list. */
const NEWER_FLAGS = /Unknown flag: (?:unpack|exclude|parents|checksum|keep-git-dir|link|chmod|device)\b/;

function libraryFindings(text: string): Finding[] {
  const diagnostics = validate(text);
  return diagnostics.flatMap((diagnostic): Finding[] => {
    const message = typeof diagnostic.message === 'string' ? diagnostic.message : diagnostic.message.value;
    if (NEWER_FLAGS.test(message)) return [];
    const code = typeof diagnostic.code === 'number' ? ValidationCode[diagnostic.code] : undefined;
    return [
      {
        rule: (code ?? 'dockerfile').toLowerCase().replaceAll('_', '-'),
        severity: diagnostic.severity === 1 ? 'error' : 'warning',
        message,
        line: diagnostic.range.start.line + 1,
        column: diagnostic.range.start.character + 1,
      },
    ];
  });
}

function run({ path, text }: Subject, context: VerifyContext): { findings: Finding[] } {
  if (text.length > MAX_LENGTH || text.split('\n', MAX_LINES + 1).length > MAX_LINES) {
    const message = `The Dockerfile is longer than ${MAX_LENGTH} characters or ${MAX_LINES} lines.`;
    return { findings: [{ rule: 'too-large', severity: 'error', message }] };
  }
  const dockerfile = DockerfileParser.parse(text);
  const stages = readStages(dockerfile);
  return {
    findings: [
      ...libraryFindings(text),
      ...baseFindings(dockerfile, stages),
      ...stageReferenceFindings(stages, context.siblings),
      ...instructionFindings(dockerfile, stages),
      ...copySourceFindings(stages, path, context),
    ],
  };
}

/** Dockerfiles by the engine of VS Code's Docker extension, and our own rules on its syntax tree. Nothing is built. */
export const dockerfileVerifier: Verifier = {
  id: 'dockerfile',
  version: libraryVersion('dockerfile-utils', require.resolve('dockerfile-utils')),
  applies: (path) =>
    /(?:^|\/)(?:Dockerfile|Containerfile)(?:\.(?!dockerignore$)[^/]+)?$|\.(?:Dockerfile|dockerfile)$/.test(path),
  run,
};
