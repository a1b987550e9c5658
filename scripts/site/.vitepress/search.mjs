// The search of the site: guides come before the API reference, and both before the history of the project.

/** Headings of the API reference that many members have. */
const REPEATED = /^#{2,6} (Call Signature|Default Value|Example|Extends|Parameters|Returns|Throws|Type Parameters)$/gm;

/**
 * Options of MiniSearch. VitePress sends the functions to the browser as their sources, so that they use nothing outside.
 *
 * @satisfies {{ options: Partial<import('minisearch').Options>, searchOptions: import('minisearch').SearchOptions }}
 */
export const miniSearch = {
  options: {
    /**
     * Returns the term that a word is found by: "invalidate" finds "Invalidation", and "clear" what can be deleted. The word
     * "cache" is in every section and finds none; "cached" does.
     *
     * @param {string} word
     * @returns {string | null}
     */
    processTerm(word) {
      const lower = word.toLowerCase();
      if (lower === 'cache') return null;
      if (/^(?:clear|empty|eras|flush|purg|remov)(?:e[ds]?|ing|s)?$/.test(lower)) return 'delet';
      if (/^(?:ttl|lifetimes?|expiry)$/.test(lower)) return 'expir';
      return lower.replace(/(?<=\w{4})(?:ations?|at(?:e[ds]?|ing)|e[ds]?|ies|ing|s|y)$/, '');
    },
  },
  searchOptions: {
    /**
     * Returns how many letters may differ, as a part of the word: "etag" is not "tag".
     *
     * @param {string} term
     */
    fuzzy(term) {
      return term.length > 4 ? 0.2 : false;
    },
    /**
     * Returns the factor of the score of a section.
     *
     * @param {string} section such as `/expiration.html#values`
     */
    boostDocument(section) {
      if (/\/(?:decisions\/|architecture|changelog|reliability)/.test(section)) return 0.1;
      if (/\/api\//.test(section)) return 0.1;
      if (/\/(?:compatibility|from-|performance|rfc9111)/.test(section)) return 0.5;
      return section.includes('/recipes') ? 0.75 : 1;
    },
  },
};

/**
 * Returns the Markdown of a page as it is searched. Members that a class inherits are found in the parent alone, and the
 * parts of a member are no sections of their own.
 *
 * @param {string} source
 * @param {string} page such as `api/classes/FileCache.md`
 */
export function searchedText(source, page) {
  // Rows with the names of tests.
  if (page === 'contract.md') return '';
  if (!page.startsWith('api/')) return source;
  const members = source.split(/^(?=### )/m).filter((member) => !/^#{4,6} Inherited from$/m.test(member));
  return members.join('').replace(REPEATED, '$1');
}
