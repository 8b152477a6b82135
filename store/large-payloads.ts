import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** As Temporal's `Payload`; by shape, because this room knows nothing of Temporal. */
export interface PlainPayload {
  metadata?: { [key: string]: Uint8Array } | null;
  data?: Uint8Array | null;
}

/** From this size on, in bytes. Below it every tool reads a payload as it is; the server refuses what has 2 MB. */
export const LARGE_BYTES = 1024 * 1024;
/** A payload that claims to be larger is refused (a few bytes can unpack to gigabytes). */
const MOST_BYTES = 128 * 1024 * 1024;

const ENCODING = 'binary/gzip';
const ORIGINAL = 'planwright-encoding';
const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * Packs what is too large for the server: the view and the carried state of a plan of thousands of tasks. Whoever reads such
 * a plan's history or asks it needs this codec; worker and client have it.
 */
export const largePayloads = {
  async encode<P extends PlainPayload>(payloads: P[]): Promise<P[]> {
    return Promise.all(payloads.map(packed));
  },
  async decode<P extends PlainPayload>(payloads: P[]): Promise<P[]> {
    return Promise.all(payloads.map(unpacked));
  },
};

async function packed<P extends PlainPayload>(payload: P): Promise<P> {
  const { data, metadata } = payload;
  const original = metadata?.encoding;
  if (!data || data.length < LARGE_BYTES || !original) return payload;
  return {
    ...payload,
    metadata: { ...metadata, encoding: Buffer.from(ENCODING), [ORIGINAL]: original },
    data: await pack(data, { level: 1 }),
  };
}

async function unpacked<P extends PlainPayload>(payload: P): Promise<P> {
  const { data, metadata } = payload;
  const original = metadata?.[ORIGINAL];
  if (!data || !metadata || !original || Buffer.from(metadata.encoding ?? []).toString() !== ENCODING) return payload;
  const { [ORIGINAL]: _packed, ...rest } = metadata;
  return {
    ...payload,
    metadata: { ...rest, encoding: original },
    data: await unpack(data, { maxOutputLength: MOST_BYTES }),
  };
}
