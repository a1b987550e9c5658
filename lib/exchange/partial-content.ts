import type { ResponseRecord } from '../models/record.js';
import { combineParts } from '../policy/range.js';
import type { OriginResponse } from './origin.js';

/**
 * Returns the form in which a response is stored: a part (206) is combined with the stored response. Undefined if it is
 * unknown which bytes the part has.
 */
export function storableForm(response: OriginResponse, stored: ResponseRecord | undefined): OriginResponse | undefined {
  if (response.status !== 206) return response;
  const form = combineParts(response, stored);
  return form?.status === 200 ? { ...form, statusText: 'OK', native: undefined } : form;
}

/** Returns the whole response if a part contains the bytes that the stored response lacks. */
export function completedResponse(
  response: OriginResponse,
  stored: ResponseRecord | undefined,
): OriginResponse | undefined {
  const form = storableForm(response, stored);
  return form?.status === 200 ? form : undefined;
}
