import { FACTS_MEMO, type Fact } from '../../plan/facts';
import type { Driver } from './fake-world';

/** The facts in the plan's current execution, oldest first. */
export async function factsOf(plan: Driver): Promise<Fact[]> {
  const { events } = await plan.handle.fetchHistory();
  const converter = plan.client.options.loadedDataConverter.payloadConverter;
  return (events ?? []).flatMap((event) => {
    const payload = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[FACTS_MEMO];
    return payload ? converter.fromPayload<Fact[]>(payload) : [];
  });
}
