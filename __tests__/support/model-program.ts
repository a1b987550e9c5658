import fc from 'fast-check';
import { USERS } from './model.js';

/** The programs that the model test runs. URLs are those of two origins, as in `0/a`. */

/** The URLs that answer, and those that redirect to them. */
const LEAVES = ['0/a', '0/b', '1/a'] as const;
const REDIRECTS = ['0/r', '0/p', '1/r'] as const;
const URLS = [...LEAVES, ...REDIRECTS];

export interface GetStep {
  readonly do: 'get';
  readonly url: string;
  readonly user: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly cache: number;
  readonly tag: string | undefined;
  readonly option: 'none' | 'forceRefresh' | 'oldDataOnError' | 'staleWhileRevalidate' | 'stream';
  /** Whether the next step begins when the response has arrived. */
  readonly wait: boolean;
}

export interface WriteStep {
  readonly do: 'write';
  readonly method: 'post' | 'put';
  readonly url: string;
  readonly user: string;
  readonly cache: number;
  readonly invalidates: 'own' | 'pattern' | 'tag' | 'none';
  /** The cache group that the answer invalidates. */
  readonly group: string | undefined;
  readonly other: string;
  readonly tag: string;
  readonly wait: boolean;
}

export type Step =
  | GetStep
  | WriteStep
  | { readonly do: 'deleteUrl' | 'deletePattern' | 'updateUrl'; readonly url: string; readonly cache: number }
  | { readonly do: 'deleteKey' | 'updateKey'; readonly url: string; readonly user: string; readonly cache: number }
  | { readonly do: 'deleteTag'; readonly tag: string; readonly cache: number }
  | { readonly do: 'clear' | 'removeExpired' | 'removeAll' | 'recreateKeys'; readonly cache: number }
  | { readonly do: 'hold' | 'fail' | 'heal'; readonly url: string }
  | { readonly do: 'redirect'; readonly url: string; readonly to: string }
  | { readonly do: 'vary'; readonly url: string; readonly names: readonly string[] }
  | { readonly do: 'advance'; readonly seconds: number }
  | { readonly do: 'release' };

// The first value of each list is the simplest and the most frequent one.
const url = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('0/a', '0/r') },
  { weight: 4, arbitrary: fc.constantFrom(...URLS) },
);
const leaf = fc.constantFrom(...LEAVES);
const user = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('nobody', 'alice') },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(USERS)) },
);
const cache = fc.constantFrom(0, 0, 1);
const tag = fc.constantFrom('t', 'u');
const wait = fc.constantFrom(true, true, false);
const fields = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { 'accept-language': 'de' },
  { 'accept-language': 'fr' },
  { 'x-flavor': 'sweet' },
  { 'accept-language': 'de', 'x-flavor': 'sweet' },
);

const get: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('get'),
  url,
  user,
  fields,
  cache,
  tag: fc.constantFrom(undefined, undefined, 't', 'u'),
  option: fc.constantFrom('none', 'none', 'none', 'forceRefresh', 'oldDataOnError', 'staleWhileRevalidate', 'stream'),
  wait,
});
const write: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('write'),
  method: fc.constantFrom('post', 'put'),
  url: leaf,
  user,
  cache,
  invalidates: fc.constantFrom('own', 'pattern', 'tag', 'none'),
  other: url,
  tag,
  group: fc.constantFrom(undefined, 'g', 'h'),
  wait,
});
const management: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('deleteUrl', 'deletePattern', 'updateUrl'), url, cache }),
  fc.record({ do: fc.constantFrom('deleteKey', 'updateKey'), url, user, cache }),
  fc.record({ do: fc.constant('deleteTag'), tag, cache }),
  fc.record({ do: fc.constantFrom('removeExpired', 'clear', 'removeAll', 'recreateKeys'), cache }),
);
const ofOrigin: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('hold', 'hold', 'fail', 'heal'), url: leaf }),
  fc.record({ do: fc.constant('redirect'), url: fc.constantFrom('0/r', ...REDIRECTS), to: leaf }),
  // Another redirect as target: only of the last one, so that there is no cycle.
  fc.record({ do: fc.constant('redirect'), url: fc.constant('0/p'), to: fc.constantFrom('0/r', '1/r') }),
  fc.record({
    do: fc.constant('vary'),
    url: leaf,
    names: fc.constantFrom([], ['accept-language'], ['x-flavor'], ['accept-language', 'x-flavor']),
  }),
);
const step = fc.oneof(
  { weight: 12, arbitrary: get },
  { weight: 2, arbitrary: write },
  { weight: 2, arbitrary: management },
  { weight: 3, arbitrary: ofOrigin },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('advance'), seconds: fc.constantFrom(10, 40, 70) }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'release' }) },
) as fc.Arbitrary<Step>;

/** The steps of a program, at most. */
const MAX_STEPS = 60;
/** The steps of a program on average. */
export const AVERAGE_STEPS = MAX_STEPS / 2;

/** A redirect that leads elsewhere, with requests before and after: single steps seldom come in this order. */
const movedRedirect: fc.Arbitrary<Step[]> = fc
  .tuple(user, leaf, leaf, cache, fc.constantFrom('0/r', '0/p'))
  .map(([name, before, after, index, url]) => {
    const simple = { do: 'get', user: name, fields: {}, cache: index, tag: undefined, wait: true } as const;
    return [
      { do: 'redirect', url, to: before },
      { ...simple, url, option: 'forceRefresh' },
      { do: 'redirect', url, to: after },
      { ...simple, url, option: 'forceRefresh' },
      { ...simple, url: before, option: 'none' },
    ];
  });

/** A body that is changed while the origin delays a newer answer. */
const changedInFlight: fc.Arbitrary<Step[]> = fc.tuple(leaf, cache).map(([url, index]) => {
  const simple = { do: 'get', url, user: 'nobody', fields: {}, cache: index, tag: undefined } as const;
  return [
    { ...simple, option: 'none', wait: true },
    { do: 'hold', url },
    { ...simple, option: 'forceRefresh', wait: true },
    { do: 'updateUrl', url, cache: index },
    { do: 'release' },
    { ...simple, option: 'none', wait: true },
  ];
});
const steps = fc.oneof(
  { weight: 60, arbitrary: step.map((one) => [one]) },
  { weight: 1, arbitrary: movedRedirect },
  { weight: 1, arbitrary: changedInFlight },
);

export const program = fc.array(steps, { maxLength: MAX_STEPS, size: 'max' }).map((lists) => lists.flat());

/** A program as text, one step a line. */
export function textOf(steps: readonly Step[]): string {
  return steps.map((one, index) => `${index + 1}. ${JSON.stringify(one)}`).join('\n');
}
