import { z } from 'zod';
import type { Finding } from '../../../plan/types';
import { toolNamed } from '../../../store/verifier-tools';
import { kubernetesVerifier } from '../kubernetes';
import { kubernetesSchema } from '../schema';
import type { VerifyContext } from '../types';
import { yamlOf } from '../yaml-document';
import { parseOutput, place, unreadable, withoutPragmas } from './read';
import type { ExternalTool } from './types';

const kubeconformSchema = z.object({
  resources: z.array(z.object({ kind: z.string(), status: z.string(), msg: z.string(), name: z.string().optional() })),
});

/** Its own schemas lie in the network; it gets those of our bundle, one file a kind. */
export const kubeconform: ExternalTool = {
  ...toolNamed('kubeconform'),
  versionArgs: ['-v'],
  applies: (path, text) => kubernetesVerifier.applies(path, text),
  job: (subject) => {
    const files: Record<string, string> = { 'manifest.yaml': subject.text };
    for (const document of yamlOf(subject).documents) {
      const [version, kind] = [document.get('apiVersion'), document.get('kind')];
      const schema = typeof version === 'string' && typeof kind === 'string' ? kubernetesSchema(version, kind) : null;
      if (schema) files[`schemas/${schema.file}`] = schema.text;
    }
    const location = '{stage}/schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json';
    return { args: ['-strict', '-output', 'json', '-verbose', '-schema-location', location, 'manifest.yaml'], files };
  },
  read(result) {
    const found = parseOutput(result.stdout, kubeconformSchema);
    if (!found) return unreadable(result);
    const errors = found.resources.filter(({ status }) => status === 'statusError');
    const invalid = found.resources.filter(({ status }) => status === 'statusInvalid');
    const findings = invalid.map(
      (one): Finding => ({ rule: 'schema', severity: 'error', message: `${one.kind} ${one.name ?? ''}: ${one.msg}` }),
    );
    const [first] = errors;
    return first ? { findings, inconclusive: `no schema: ${first.msg}` } : { findings };
  },
};

/** Files of the chart that a path lies in, with names below the chart's root. */
function chartFiles(path: string, text: string, context: VerifyContext): Record<string, string> | null {
  const root = /^(.*?)(?:templates\/[^\n]*|Chart\.ya?ml|values[^/]*\.ya?ml)$/.exec(path)?.[1];
  if (root === undefined) return null;
  const files: Record<string, string> = {};
  for (const [other, content] of [...context.siblings, [path, text] as const]) {
    const name = other.slice(root.length);
    if (
      other.startsWith(root) &&
      /^(?:Chart\.ya?ml|values[^/]*\.(?:ya?ml|json)|templates\/[\w./-]+|crds\/[\w./-]+)$/.test(name) &&
      !name.includes('..')
    )
      files[`chart/${name}`] = content;
  }
  return files['chart/Chart.yaml'] === undefined ? null : files;
}

/** Not called "helm": that is the embedded verifier of charts, and both may speak of one file. */
export const helmLint: ExternalTool = {
  ...toolNamed('helm-lint'),
  versionArgs: ['version', '--short'],
  applies: (path) => /(?:^|\/)Chart\.yaml$|(?:^|\/)templates\/[^\n]*\.(?:ya?ml|tpl)$/.test(path),
  job: ({ path, text }, context) => {
    const files = chartFiles(path, text, context);
    if (!files) return { reason: 'the rest of the chart is not at hand' };
    if (/^dependencies:/m.test(files['chart/Chart.yaml'] ?? ''))
      return { reason: 'the chart has dependencies, which would have to be downloaded' };
    return { args: ['lint', 'chart'], files };
  },
  read(result) {
    const said = `${result.stdout}\n${result.stderr}`;
    const lines = said.split('\n').flatMap((line): Finding[] => {
      const match = /^\[(ERROR|WARNING)\]\s+(.*)$/.exec(line.trim());
      if (!match) return [];
      return [
        {
          rule: 'lint',
          severity: match[1] === 'ERROR' ? 'error' : 'warning',
          message: match[2] ?? '',
          ...place(Number(/:(\d+):/.exec(match[2] ?? '')?.[1] ?? 0)),
        },
      ];
    });
    if (!/chart\(s\) linted/.test(said)) return unreadable(result);
    return { findings: lines };
  },
};

const conftestSchema = z.array(
  z.object({
    failures: z.array(z.object({ msg: z.string() })).nullish(),
    warnings: z.array(z.object({ msg: z.string() })).nullish(),
  }),
);

export const conftest: ExternalTool = {
  ...toolNamed('conftest'),
  versionArgs: ['--version'],
  applies: (path) => /\.(?:ya?ml|json|toml)$|(?:^|\/)Dockerfile$/.test(path),
  job: ({ path, text }, context) => {
    const policies = [...context.siblings].filter(([other]) => /^policy\/[\w-]+\.rego$/.test(other));
    if (policies.length === 0) return { reason: 'the workspace has no policy/*.rego' };
    const name = `input${/\.\w+$/.exec(path)?.[0] ?? '.yaml'}`;
    const files = { [name]: withoutPragmas(text), ...Object.fromEntries(policies) };
    return { args: ['test', '--no-color', '-o', 'json', '-p', 'policy', name], files };
  },
  read(result) {
    const found = parseOutput(result.stdout, conftestSchema);
    if (!found) return unreadable(result);
    return {
      findings: found.flatMap((one): Finding[] => [
        ...(one.failures ?? []).map(({ msg }): Finding => ({ rule: 'policy', severity: 'error', message: msg })),
        ...(one.warnings ?? []).map(({ msg }): Finding => ({ rule: 'policy', severity: 'warning', message: msg })),
      ]),
    };
  },
};
