import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { defaultPayloadConverter } from '@temporalio/common';
import { LARGE_BYTES, largePayloads } from '../../store/large-payloads';

const payload = (value: unknown) => {
  const made = defaultPayloadConverter.toPayload(value);
  if (!made) throw new Error('no payload');
  return made;
};

describe('payloads', () => {
  it('that are large are packed, and come back as they were', async () => {
    const large = payload(Array.from({ length: 60_000 }, (_, at) => ({ task: at, status: 'completed' })));
    const [packed] = await largePayloads.encode([large]);
    expect(packed?.data?.length).toBeLessThan((large.data?.length ?? 0) / 5);
    const [back] = await largePayloads.decode(packed ? [packed] : []);
    expect(Buffer.from(back?.data ?? []).equals(Buffer.from(large.data ?? []))).toBe(true);
    expect(back?.metadata).toEqual(large.metadata);
    expect(back && defaultPayloadConverter.fromPayload(back)).toHaveLength(60_000);
  });

  it('that every tool can read stay as they are', async () => {
    const small = payload({ plan: 'x'.repeat(LARGE_BYTES / 2) });
    expect(await largePayloads.encode([small])).toEqual([small]);
    expect(await largePayloads.decode([small])).toEqual([small]);
  });

  it('of somebody else that are packed in the same way are not touched', async () => {
    const foreign = { metadata: { encoding: Buffer.from('binary/gzip') }, data: gzipSync(randomBytes(100)) };
    expect(await largePayloads.decode([foreign])).toEqual([foreign]);
  });

  it('that unpack to more than any plan has are refused', async () => {
    const bomb = {
      metadata: { encoding: Buffer.from('binary/gzip'), 'planwright-encoding': Buffer.from('json/plain') },
      data: gzipSync(Buffer.alloc(129 * 1024 * 1024)),
    };
    await expect(largePayloads.decode([bomb])).rejects.toThrow(/larger than/);
  });
});
