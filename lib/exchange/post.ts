import { newFields } from '../policy/messages.js';
import { allowsMethod } from '../policy/rules.js';
import { answersLaterGets } from '../policy/storable.js';
import type { Call } from './call.js';
import { fetchAlone } from './fetch.js';
import { type Outcome, storedExtras, unstoredExtras } from './outcome.js';

/** Whether the request's answer may serve later GETs (RFC 9110 section 9.3.3), which takes having it in bytes. */
export function mayServeLaterGets({ request, settings }: Call): boolean {
  return settings.cacheControl && request.method === 'POST' && !request.streamed && allowsMethod(settings, 'GET');
}

/** Sends a POST, and stores its answer under the key of a GET where it says that it may serve them. */
export async function postForLaterGets(call: Call): Promise<Outcome> {
  const { received } = await fetchAlone(call, undefined, false, (answer) =>
    answersLaterGets(call.request, answer, call.settings, answer.responseTime) ? asGet(call) : call,
  );
  const { answer, record, reason } = received;
  const status = { fwd: 'method' as const, fwdStatus: answer.status, detail: reason };
  if (!record) return { answer, extras: unstoredExtras({ cacheKey: undefined }, status) };
  const how = { cacheKey: record.key, fromCache: false, revalidated: false };
  return { answer, extras: storedExtras(record, call.cache.now(), how, { ...status, stored: true }) };
}

/** The call that would have asked for the same with GET. */
function asGet(call: Call): Call {
  const headers = newFields(call.request.headers);
  for (const name of ['content-type', 'content-length', 'content-encoding']) delete headers[name];
  return call.with({ ...call.request, method: 'GET', headers, body: { kind: 'none' } });
}
