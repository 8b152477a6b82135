import {
  Add,
  Arg,
  Copy,
  type Dockerfile,
  Env,
  type Instruction,
  type JSONInstruction,
  Run,
  User,
} from 'dockerfile-ast';
import { classifyValue } from '../../plan/mask';
import type { Finding } from '../../plan/types';
import { placeOf, type Stage, stageNamed } from './dockerfile-stages';
import type { VerifyContext } from './types';

const SECRET_NAME = /(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?)$/i;

/** Bases that bring their own unprivileged user. */
const UNPRIVILEGED_BASE = /nonroot|unprivileged|rootless|chainguard\//;

/** Rules on single instructions and on the user of the last stage. */
export function instructionFindings(dockerfile: Dockerfile, stages: readonly Stage[]): Finding[] {
  const findings = dockerfile.getInstructions().flatMap((instruction): Finding[] => {
    const found = rulesFor(instruction);
    return found.map((finding) => ({ ...finding, ...placeOf(instruction) }));
  });
  const last = stages.at(-1);
  const root = last === undefined ? null : rootReason(stages, last);
  if (last !== undefined && root !== null) {
    findings.push({ rule: 'runs-as-root', severity: 'warning', message: root, ...placeOf(last.from) });
  }
  return findings;
}

function rulesFor(instruction: Instruction): Finding[] {
  if (instruction instanceof Run) return runFindings(instruction);
  if (instruction instanceof Env)
    return instruction.getProperties().flatMap((one) => secretFindings(one.getName(), one.getValue(), 'ENV'));
  if (instruction instanceof Arg) {
    const property = instruction.getProperty();
    return property ? secretFindings(property.getName(), property.getValue(), 'ARG') : [];
  }
  if (instruction instanceof Add) return addFindings(instruction);
  return instruction.getKeyword() === 'EXPOSE'
    ? instruction.getArguments().flatMap((one) => portFindings(one.getValue()))
    : [];
}

function runFindings(instruction: Run): Finding[] {
  const findings: Finding[] = [];
  const code = instruction.getRawArgumentsContent() ?? '';
  const lines = code.replace(/\\\r?\n/g, ' ').replace(/^\s*#.*$/gm, '');
  const assumesYes = /assume-yes|\byes\s*\|/i.test(lines);
  for (const command of lines.split(/&&|\|\||[;|\n]/)) {
    const install = /\b(?:apt-get|apt)\s+(?:-\S+\s+){0,8}(?:install|upgrade|dist-upgrade)\b/.test(command);
    const agrees = /\s(?:-[a-zA-Z]*y[a-zA-Z]*|-qq[a-zA-Z]*|--yes|--assume-yes)(?=\s|$|=|\))/.test(command);
    if (install && !agrees && !assumesYes) {
      const message = 'apt-get asks for confirmation, and nobody can answer in a build; add -y.';
      findings.push({ rule: 'apt-get-yes', severity: 'error', message });
    }
    if (/^\s*(?:RUN\s+)?sudo\b/.test(command)) {
      findings.push({
        rule: 'sudo',
        severity: 'warning',
        message: 'Do not use sudo in a build; use USER root where root is needed.',
      });
    }
  }
  return findings;
}

function secretFindings(name: string, value: string | null, keyword: 'ENV' | 'ARG'): Finding[] {
  // A path says where the secret will be, not what it is.
  if (!SECRET_NAME.test(name) || value?.startsWith('/')) return [];
  const rule = 'secret-in-image';
  const remedy = 'use `RUN --mount=type=secret` or give it when the container starts';
  const sort = value === null || value === '' ? 'reference' : classifyValue(value);
  if (sort === 'literal') {
    return [{ rule, severity: 'error', message: `${keyword} ${name} puts a secret into the image; ${remedy}.` }];
  }
  if (keyword === 'ENV' && (value === null || value === '')) return [];
  return [
    {
      rule,
      severity: 'warning',
      message: `The value of ${keyword} ${name} stays readable in the image's history; ${remedy}.`,
    },
  ];
}

function addFindings(instruction: Add): Finding[] {
  const flags = new Set(instruction.getFlags().map((flag) => flag.getName()));
  const remote = instruction
    .getArguments()
    .some((argument) => /^["[]*https?:\/\//i.test(argument.getValue()) && !/\.git(?:#|$)/.test(argument.getValue()));
  if (!remote || flags.has('checksum')) return [];
  return [
    {
      rule: 'add-url',
      severity: 'warning',
      message: 'ADD of an address takes whatever is there; add --checksum, or use RUN curl and check it.',
    },
  ];
}

function portFindings(argument: string): Finding[] {
  if (argument.includes('$')) return [];
  const match = /^(\d{1,9})(?:-(\d{1,9}))?(?:\/(?:tcp|udp|sctp))?$/i.exec(argument);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match && first >= 1 && last <= 65_535 && first <= last) return [];
  return [
    {
      rule: 'invalid-port',
      severity: 'error',
      message: `EXPOSE "${argument}" is not a port (1 to 65535), a range, or either with /tcp or /udp.`,
    },
  ];
}

/** Why the image would run as root, or null. USER is inherited through the stages that a stage builds on. */
function rootReason(stages: readonly Stage[], stage: Stage): string | null {
  const user = stage.instructions
    .filter((instruction) => instruction instanceof User)
    .at(-1)
    ?.getArguments()[0]
    ?.getValue();
  if (user !== undefined) {
    return /^(?:root|0)(?::|$)/.test(user) ? 'The last USER is root; the container runs as root.' : null;
  }
  const parent = stage.image === null ? undefined : stageNamed(stages, stage.image, stage.index);
  if (parent) return rootReason(stages, parent);
  if (stage.image === null || UNPRIVILEGED_BASE.test(stage.image)) return null;
  return 'No USER is set in the last stage; the container runs as root.';
}

/**
 * COPY and ADD sources that are not there, as far as that is known: names missing at the top of the workspace, and
 * names that `.dockerignore` keeps out of the build context. Warnings, since a build may make them first.
 */
export function copySourceFindings(stages: readonly Stage[], path: string, context: VerifyContext): Finding[] {
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const ignored = ignoredNames(context.siblings.get('.dockerignore') ?? '');
  const top = topNames(context);
  return stages.flatMap((stage) =>
    stage.instructions.flatMap((instruction): Finding[] => {
      if (
        !(instruction instanceof Copy || instruction instanceof Add) ||
        instruction.getFlags().some((flag) => flag.getName() === 'from')
      ) {
        return [];
      }
      return sources(instruction).flatMap((source): Finding[] => {
        const name = source.replace(/^(?:\.?\/)+/, '').split('/')[0] ?? '';
        if (name === '' || name === '.' || /[*?[\]$<]|^https?:|^git@/.test(source)) return [];
        if (ignored.has(name)) {
          const message = `"${source}" is excluded by .dockerignore, so the build will not find it.`;
          return [{ rule: 'copy-ignored', severity: 'warning', message, ...placeOf(instruction) }];
        }
        const beside = [...context.siblings.keys()].some((one) => one.startsWith(`${folder}/${name}`));
        if (top === null || top.has(name) || (folder !== '' && beside)) return [];
        const message = `"${source}" is not in the workspace.`;
        return [{ rule: 'copy-missing', severity: 'warning', message, ...placeOf(instruction) }];
      });
    }),
  );
}

function sources(instruction: JSONInstruction): string[] {
  const quoted = instruction.getJSONStrings().map((one) => one.getJSONValue());
  const all = quoted.length > 0 ? quoted : instruction.getArguments().map((one) => one.getValue());
  // A here-document is a source whose content is in the file itself.
  return all.some((one) => one.startsWith('<<')) ? [] : all.slice(0, -1);
}

function topNames(context: VerifyContext): Set<string> | null {
  // A list of 100 names was cut there.
  if (context.listing === null || context.listing.length >= 100) return null;
  return new Set([...context.listing, ...context.siblings.keys()].map((one) => one.split('/')[0] ?? ''));
}

function ignoredNames(dockerignore: string): Set<string> {
  const lines = dockerignore.split(/\r?\n/).map((line) => line.trim());
  if (lines.some((line) => line.startsWith('!'))) return new Set();
  return new Set(lines.filter((line) => /^\/?[\w.-]+\/?$/.test(line)).map((line) => line.replace(/^\/|\/$/g, '')));
}
