import type { JsonObject } from '../../plan/types';
import { checkInput } from '../../skills/input';
import { loadSkills } from '../../skills/load';
import type { Skill } from '../../skills/types';

let skills: Map<string, Skill>;
beforeAll(async () => {
  skills = await loadSkills();
});

const check = (name: string, input: JsonObject, references: 'in-place' | 'resolved' = 'resolved'): string[] => {
  const skill = skills.get(name);
  if (!skill) throw new Error(name);
  return checkInput(skill, input, { references });
};

it('takes an empty input for every built-in skill', () => {
  for (const name of skills.keys()) expect(check(name, {})).toEqual([]);
});

it('names an unknown key and those that are known', () => {
  expect(check('dockerfile', { prot: 1 })).toEqual([
    'input.prot is not known to dockerfile (it knows file, runtime, port, healthPath, image, replace)',
  ]);
});

it('names the place, the rule and the value of each fault', () => {
  expect(check('dockerfile', { port: 'http', replace: 1 })).toEqual([
    'input.port must be integer, but is "http"',
    'input.replace must be boolean, but is 1',
  ]);
  expect(check('docker-compose', { services: ['oracle'] })[0]).toMatch(
    /input\.services\.0 .*postgres.*but is "oracle"/,
  );
});

it('lets a reference stand for any type until it is resolved', () => {
  const input = { port: '$ref:2.port', dockerfile: '$ref:2', file: 'compose-$ref:1.yml' };
  expect(check('docker-compose', input, 'in-place')).toEqual([]);
  expect(check('docker-compose', input, 'resolved')).toHaveLength(2);
});

it('still refuses what is wrong beside a reference', () => {
  expect(
    check('docker-compose', { port: '$ref:2', image: 5, services: ['$ref:1', 'oracle'] }, 'in-place'),
  ).toHaveLength(2);
  expect(check('docker-compose', { nope: '$ref:2' }, 'in-place')).toHaveLength(1);
});

it('leaves a combining keyword open while a reference stands inside', () => {
  const skill = skills.get('makefile');
  if (!skill) throw new Error('makefile');
  const inputSchema: JsonObject = {
    type: 'object',
    properties: {
      port: {
        anyOf: [{ type: 'integer' }, { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }],
      },
    },
  };
  const own = { ...skill, inputSchema };
  expect(checkInput(own, { port: { n: '$ref:1' } }, { references: 'in-place' })).toEqual([]);
  expect(checkInput(own, { port: 'x' }, { references: 'in-place' }).length).toBeGreaterThan(0);
});

it.each([
  ['github-actions', { file: '../ci.yml' }],
  ['github-actions', { file: '.github/workflows/a/b.yml' }],
  ['dockerfile', { file: '/etc/passwd' }],
  ['docker-compose', { file: 'values.yml' }],
  ['makefile', { file: 'x.mk' }],
])('refuses a file for %s that is not its kind: %j', (name, input) => {
  expect(check(name, input)).toHaveLength(1);
});
