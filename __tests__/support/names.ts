/** A cache's name for each test's folder, where tests share a server. */
export function nameIn(folder: string, cacheName: string): string {
  return `${folder.replace(/^.*-/, '').replace(/\W/g, '_')}-${cacheName}`;
}
