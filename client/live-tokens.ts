/** How far the models' answers are, as the activities that wait for them say in their heartbeats. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { z } from 'zod';

/** A heartbeat comes from outside, whoever sent it. */
const progress = z.object({ task: z.string().nullable(), tokens: z.number().int().min(0) });

/** @returns tokens by task, "" for the planning; empty where nothing is being written */
export async function liveTokens(client: Client, id: string): Promise<{ [task: string]: number }> {
  const { raw } = await client.workflow.getHandle(id).describe();
  const live: { [task: string]: number } = {};
  for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
    const [detail] =
      (await decodeArrayFromPayloads(client.options.loadedDataConverter, heartbeatDetails?.payloads ?? []).catch(
        () => [],
      )) ?? [];
    const told = progress.safeParse(detail);
    if (told.success && told.data.tokens > 0) live[told.data.task ?? ''] = told.data.tokens;
  }
  return live;
}
