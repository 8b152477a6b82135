/** The codecs that every client and worker of Temporal has: first what is large is packed, then all of it is sealed. */
import { largePayloads, type PlainPayload } from '../large-payloads';
import type { KeyRing } from './keys';
import { type Place, seal, sealOf, unknownKey, unseal } from './seal';

/** Temporal's `SerializationContext`, by shape: whose payload it is. */
export interface PayloadContext {
  namespace: string;
  workflowId?: string;
}

/** Temporal's `PayloadCodec`, by shape. */
export interface Codec {
  encode<P extends PlainPayload>(payloads: P[], context?: PayloadContext): Promise<P[]>;
  decode<P extends PlainPayload>(payloads: P[], context?: PayloadContext): Promise<P[]>;
}

/**
 * Without keys nothing is encrypted, and what is encrypted gives an error that names the key.
 *
 * @param namespace the one that payloads are bound to, whatever their context says; null for a replay, which does not know it
 *   (what it seals is thrown away)
 */
export const codecsOf = (keys: KeyRing | null, namespace: string | null): Codec[] => [
  largePayloads,
  keys ? sealing(keys, namespace) : withoutKeys,
];

/** Strict: what is not sealed is refused. Search attributes and headers never come here, and what Temporal itself makes has no payload. */
function sealing(keys: KeyRing, namespace: string | null): Codec {
  const place = (context: PayloadContext | undefined): Place => ({
    namespace: namespace ?? '',
    workflowId: context?.workflowId ?? null,
  });
  return {
    encode: async (payloads, context) =>
      payloads.map((payload) => ({ ...payload, ...seal(payload, place(context), keys) })),
    decode: async (payloads, context) =>
      payloads.map((payload) => {
        const says = sealOf(payload);
        const expected = context ? { ...place(context), namespace: namespace ?? says?.namespace ?? '' } : null;
        return { ...payload, ...unseal(payload, expected, keys) };
      }),
  };
}

const withoutKeys: Codec = {
  encode: async (payloads) => payloads,
  decode: async (payloads) => {
    for (const payload of payloads) {
      const sealed = sealOf(payload);
      if (sealed) throw unknownKey(sealed.key, []);
    }
    return payloads;
  },
};
