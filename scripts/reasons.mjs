// Writes docs/why-not-cached.md from the sources: npm run reasons

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const PAGE = 'docs/why-not-cached.md';

/** Text of the cures of error codes; their causes are the comments in lib/errors.ts. */
const CODE_CURES = {
  ERR_CACHE_MISSING_PACKAGE: 'Run the command of the message.',
  ERR_CACHE_BROKEN_PACKAGE: 'Run the command of the message, which builds the native part.',
  ERR_CACHE_STORE: 'See `cause`. Without `strict`, requests continue without the store.',
  ERR_CACHE_STORE_TIMEOUT: 'Raise `backendTimeout`, or check the server.',
  ERR_CACHE_STORE_DOWN: 'Check the server; `cache.ready()` ends the outage as soon as it answers.',
  ERR_CACHE_CLOSED: 'Do not use a cache after `close()` or `detachCache()`.',
  ERR_CACHE_UNSUPPORTED: 'Use the alternative that the message names, or another backend.',
  ERR_CACHE_SERIALIZER: 'Correct the serializer; see `cause`.',
  ERR_CACHE_CONFLICT: 'Call the method again, or let one process write.',
  ERR_CACHE_STATE: 'See the message.',
};

/**
 * The members of the unions of string literals in a source, with their comments.
 *
 * @returns {{ name: string, comment: string, members: { value: string, comment: string }[] }[]}
 */
function unionsOf(file) {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements.filter(ts.isTypeAliasDeclaration).flatMap((alias) => {
    if (!ts.isUnionTypeNode(alias.type)) return [];
    const members = alias.type.types.flatMap((type) => {
      if (!ts.isLiteralTypeNode(type) || !ts.isStringLiteral(type.literal)) return [];
      // The comment is before the bar that precedes the member.
      const before = text.slice(alias.getStart(), type.getStart());
      const comment = before.match(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\|\s*$/)?.[1] ?? '';
      return [{ value: type.literal.text, comment: plain(comment) }];
    });
    const own = text.slice(alias.pos, alias.getStart()).match(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/)?.[1] ?? '';
    return members.length > 0 ? [{ name: alias.name.text, comment: plain(own), members }] : [];
  });
}

/** @param {string} comment */
function plain(comment) {
  return comment
    .replace(/\n\s*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * @param {{ value: string, comment: string }} member
 * @throws Error for a reason without a cause
 */
function row({ value, comment }) {
  const [cause = '', cure = ''] = comment.split(' | ').map((part) => part.replace(/\s*\|$/, '').trim());
  if (cause === '') throw new Error(`lib/policy/reasons.ts: "${value}" has no comment with its cause`);
  return `| \`${value}\` | ${cause} | ${cure} |`;
}

/** The page, made from the comments of the sources. */
export function reasonsPage() {
  const sections = unionsOf('lib/policy/reasons.ts').map(({ comment, members }) =>
    [`## ${comment.replace(/\.$/, '')}`, table(['reason', 'cause', 'to do'], members.map(row))].join('\n\n'),
  );
  const codes = unionsOf('lib/errors.ts')
    .flatMap(({ members }) => members)
    .map(({ value, comment }) => {
      const cure = CODE_CURES[value];
      if (comment === '' || cure === undefined) throw new Error(`lib/errors.ts: "${value}" has no cause or no cure`);
      return `| \`${value}\` | ${comment} | ${cure} |`;
    });
  return `${[INTRODUCTION, ...sections, '## Error codes', table(['code', 'cause', 'to do'], codes), SIGNED].join('\n\n')}\n`;
}

function table(columns, rows) {
  return [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...rows].join('\n');
}

const INTRODUCTION = `# Why was this not cached?

<!-- Generated from lib/policy/reasons.ts and lib/errors.ts by npm run reasons. -->

Each response states the decision of the cache in \`response.cacheStatus\`, a Cache-Status value (RFC 9211):

\`\`\`
axios-keyv-cache; fwd=uri-miss; fwd-status=200; detail=body-too-large
\`\`\`

\`hit\` means that the body came from the store, \`fwd\` that the request went to the origin, \`stored\` that the response was stored,
\`ttl\` its remaining lifetime in seconds, and \`collapsed\` that another caller's request was joined. \`detail\` is one of the
reasons below. Events have the same reasons: pass \`onEvent\`, run the program with \`DEBUG=axios-keyv-cache\`, subscribe to the
diagnostics channel \`axios-keyv-cache\`, or count with \`cache.stats()\`.

Without a \`detail\` and without \`hit\`, nothing was stored for the request. If a second identical request is no hit either, compare
\`response.cacheKey\` of both: another key means that URL, body, credentials or a matched header differ ([matching](matching.md)).`;

const SIGNED = `## Requests that are signed one by one

AWS Signature Version 4, OAuth 1 and DPoP put a new signature into each request. Since credentials are in the key, no two such
requests share a stored response. Sign after the cache, in an adapter or an agent, or pass \`credentials\`: a function that returns
the account whose requests may share responses. \`ignoredParameters\` leaves dates and nonces of the query out of the key.`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
  writeFileSync(PAGE, reasonsPage());
}
