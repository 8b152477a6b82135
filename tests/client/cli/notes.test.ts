import { planText } from '../../../client/cli/show/plan-text';
import { makeStyle } from '../../../client/cli/show/style';
import { planView } from './views';

it('says what a plan leaves out after its tasks and risk, with nothing that could move the cursor', () => {
  const text = planText(planView({ notes: ['No rule for Terraform\u001b[2J.'] }), makeStyle(false));
  expect(text).toMatch(/Risk [\s\S]*\n\nNote: No rule for Terraform\S+\[2J\.\n$/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
  expect(text).not.toMatch(/\u001b/);
  expect(planText(planView(), makeStyle(false))).not.toContain('Note:');
});
