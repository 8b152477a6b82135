import { parser } from '@prometheus-io/lezer-promql';

/** The parser is linear; an expression that people wrote has a few hundred characters. */
const MAX_LENGTH = 20_000;

/** Functions that take a range (`x[5m]`) first, and nothing else. */
const RANGE = new Set(
  `rate irate increase delta idelta deriv predict_linear changes resets absent_over_time avg_over_time min_over_time max_over_time sum_over_time
  count_over_time quantile_over_time stddev_over_time stdvar_over_time last_over_time present_over_time mad_over_time holt_winters
  double_exponential_smoothing first_over_time`.split(/\s+/),
);
const RANGE_NODES = new Set(['MatrixSelector', 'SubqueryExpr']);
const WRAPPERS = new Set(['ParenExpr', 'StepInvariantExpr', 'OffsetExpr']);

/** What is wrong with a PromQL expression, with the offset; null where nothing is. */
export function promqlFault(text: string): { message: string; offset: number } | null {
  if (text.trim() === '') return { message: 'The expression is empty.', offset: 0 };
  if (text.length > MAX_LENGTH)
    return { message: `The expression is longer than ${MAX_LENGTH} characters.`, offset: 0 };
  let fault: { message: string; offset: number } | null = null;
  const tree = parser.parse(text);
  tree.iterate({
    enter(node) {
      if (fault !== null) return false;
      if (node.type.isError) {
        const rest = text.slice(node.from).trim();
        const before = text.slice(Math.max(0, node.from - 30), node.from).trim();
        const message =
          rest === ''
            ? 'The expression ends too early.'
            : `The expression is wrong at "${rest.slice(0, 30)}"${before === '' ? '' : `, after "${before}"`}.`;
        fault = { message, offset: node.from };
        return false;
      }
      if (node.name !== 'FunctionCall') return undefined;
      const call = node.node;
      const name = text.slice(call.from, text.indexOf('(', call.from)).trim();
      if (!RANGE.has(name)) return undefined;
      const args = call.getChild('FunctionCallBody');
      let has = false;
      for (let child = args?.firstChild ?? null; child !== null; child = child.nextSibling) {
        let inner: typeof child | null = child;
        while (inner !== null && WRAPPERS.has(inner.name)) inner = inner.firstChild;
        if (inner !== null && RANGE_NODES.has(inner.name)) has = true;
      }
      if (!has) fault = { message: `${name}() needs a range, as in ${name}(metric[5m]).`, offset: call.from };
      return undefined;
    },
  });
  return fault;
}
