import { DockerfileParser } from 'dockerfile-ast';
import { ValidationCode, validate } from 'dockerfile-utils';
import type { Finding } from '../../plan/types';
import { baseFindings, readStages, stageReferenceFindings } from './dockerfileStages';
import { copySourceFindings, instructionFindings } from './dockerfileRules';
import { libraryVersion } from './library';
import type { Subject, Verifier, VerifyContext } from './types';

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
  const dockerfile = DockerfileParser.parse(text);
  const stages = readStages(dockerfile);
  return {
    findings: [
      ...libraryFindings(text),
      ...baseFindings(dockerfile, stages),
      ...stageReferenceFindings(stages),
      ...instructionFindings(dockerfile, stages),
      ...copySourceFindings(stages, path, context),
    ],
  };
}

/** Dockerfiles by the engine of VS Code's Docker extension, and our own rules on its syntax tree. Nothing is built. */
export const dockerfileVerifier: Verifier = {
  id: 'dockerfile',
  version: libraryVersion('dockerfile-utils', require.resolve('dockerfile-utils')),
  applies: (path) => /(?:^|\/)(?:Dockerfile|Containerfile)(?:\.(?!dockerignore$)[^/]+)?$|\.(?:Dockerfile|dockerfile)$/.test(path),
  run,
};
