import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { miniSearch, searchedText } from './search.mjs';

/** The folder with all pages, which scripts/site/main.mjs makes. */
const site = fileURLToPath(new URL('..', import.meta.url));
const api: DefaultTheme.SidebarItem[] = JSON.parse(readFileSync(`${site}/api/typedoc-sidebar.json`, 'utf8'));
const decisions = readdirSync(`${site}/decisions`)
  .sort()
  .map((file) => `decisions/${file.replace(/\.md$/, '')}`);

/** Items of the side bar with the titles of their pages. */
function pages(names: readonly string[]): DefaultTheme.SidebarItem[] {
  return names.map((name) => {
    const title = /^# (.+)$/m.exec(readFileSync(`${site}/${name}.md`, 'utf8'))?.[1];
    if (title === undefined) throw new Error(`${name}.md has no title`);
    return { text: title.replaceAll('`', ''), link: `/${name}` };
  });
}

const guide = ['getting-started', 'how-it-works', 'expiration', 'matching', 'invalidation', 'stale-data', 'rfc9111'];
const reference = [
  'options',
  'backends',
  'serializers',
  'security',
  'metrics',
  'typescript',
  'compatibility',
  'performance',
  'scaling',
];

export default defineConfig({
  title: 'axios-keyv-cache',
  description: 'A persistent HTTP cache for axios',
  // The index of the search is one chunk.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        miniSearch,
        _render: (source, env, markdown) => markdown.render(searchedText(source, env.relativePath), env),
      },
    },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Options', link: '/options' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      { text: 'Guide', items: pages([...guide, 'management', 'testing', 'recipes']) },
      { text: 'Questions', items: pages(['why-not-cached', 'troubleshooting']) },
      {
        text: 'Reference',
        items: [...pages(reference), { text: 'API', link: '/api/', collapsed: true, items: api }],
      },
      { text: 'Migration', items: pages(['from-requests-cache', 'from-axios-cache-interceptor']) },
      {
        text: 'Project',
        items: [
          ...pages(['architecture', 'contract', 'reliability', 'changelog']),
          { text: 'Decisions', collapsed: true, items: pages(decisions) },
        ],
      },
    ],
  },
});
