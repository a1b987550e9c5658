import type { ResponseRecord } from '../models/record.js';
import { mayServeOnError } from '../policy/stale.js';
import { type Call, tell } from './call.js';
import { askToConfirm } from './confirm.js';
import { invalidate } from './invalidate.js';
import type { OpenAnswer } from './origin.js';
import { type Outcome, unstoredExtras } from './outcome.js';
import { freshenStored, receive } from './receive.js';
import { type Forward, fromOrigin, old } from './results.js';

/**
 * To the origin for a caller that wants a stream: it gets the body as it arrives, which is stored once it has ended
 * whole. Streams are never joined.
 *
 * @throws what the HTTP client rejects with
 */
export async function fetchStream(
  call: Call,
  stored: ResponseRecord | undefined,
  revalidate: boolean,
  forward: Forward,
): Promise<Outcome> {
  const { request, settings, origin, cache } = call;
  let open: OpenAnswer | undefined;
  const { answer, confirmed } = await askToConfirm(call, stored, revalidate, async (conditions) => {
    // Asked again: nobody reads what was answered first.
    open?.discard();
    open = await origin.open(conditions);
    return open;
  });
  const { status } = answer;
  if (confirmed) {
    answer.discard();
    const received = await freshenStored(call, confirmed, whole(answer, new Uint8Array(0)));
    return fromOrigin(call, { received, mine: true, fits: true }, forward);
  }
  if (stored && status !== 304 && mayServeOnError(request, stored, { status }, settings, cache.now())) {
    answer.discard();
    return old(call, stored, { ...forward, fwdStatus: status, detail: 'stale-if-error' });
  }
  await invalidate(call, answer);
  tell(call, 'miss', forward.detail);
  const native = await answer.collect(
    settings.maxBodySize,
    async (body) => {
      await receive(call, stored, whole(answer, body));
    },
    () => tell(call, 'skipped', 'body-too-large'),
  );
  return {
    answer: { ...whole(answer, new Uint8Array(0)), bodyForm: 'opaque', native },
    extras: unstoredExtras({ cacheKey: call.key }, { ...forward, fwdStatus: status }),
  };
}

function whole(answer: OpenAnswer, body: Uint8Array) {
  return { ...answer, body, native: undefined };
}
