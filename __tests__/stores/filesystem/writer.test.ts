import { existsSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { EntrySummary } from '../../../lib/models/entry.js';
import { Folders } from '../../../lib/stores/filesystem/folders.js';
import { FileLayout } from '../../../lib/stores/filesystem/layout.js';
import { ReadPace } from '../../../lib/stores/filesystem/read-pace.js';
import { EntryWriter } from '../../../lib/stores/filesystem/writer.js';
import { temporaryFolder } from '../../support/api.js';
import { entryOf } from '../../support/entries.js';
import { describeOnPosix } from '../../support/permissions.js';

/** Folders of which another process removes each as soon as it is made. */
class RemovedFolders extends Folders {
  made = 0;

  override async make(folder: string): Promise<void> {
    await super.make(folder);
    this.made += 1;
    rmdirSync(folder);
  }
}

describe('attempts that others undo are bounded', () => {
  const A = entryOf('a');

  async function startWriter() {
    const folder = await temporaryFolder();
    const pace = new ReadPace(folder.path);
    const layout = new FileLayout(folder.path);
    const removed = new RemovedFolders(folder.path, pace);
    return {
      layout,
      removed,
      file: layout.entry(A.id, '.bin'),
      writer: new EntryWriter(layout, new Folders(folder.path, pace), false),
      disturbed: new EntryWriter(layout, removed, false),
      [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
    };
  }

  test('the folder of an entry is removed each time: a refusal', async () => {
    await using one = await startWriter();
    await expect(one.disturbed.stage(A, one.file, 1e6)).rejects.toMatchObject({ kind: 'refusal' });
    expect(one.removed.made).toBe(5);
  });

  test('the folder of a member of the index is removed each time: a refusal', async () => {
    await using one = await startWriter();
    const member = one.layout.member('1'.repeat(32), A.id);
    await expect(one.disturbed.addMember(member)).rejects.toMatchObject({ kind: 'refusal' });
    expect(one.removed.made).toBeLessThanOrEqual(5);
  });

  test('a redirect is written anew each time that it was taken away: a failure of the entry', async () => {
    await using one = await startWriter();
    const { file, writer } = one;
    const redirect = entryOf('a', { kind: 'redirect' });
    const staged = await writer.stage(redirect, file, 1e6);
    writeFileSync(file, 'a redirect of another process');
    let taken = 0;
    const summaryOf = async (asked: string): Promise<EntrySummary> => {
      if (asked !== file) {
        taken += 1;
        writeFileSync(file, 'another redirect of another process');
      }
      return redirect;
    };
    await expect(writer.placeRedirect(staged, file, summaryOf)).rejects.toMatchObject({ kind: 'entry' });
    expect([taken, existsSync(file)]).toEqual([5, true]);
  });

  describeOnPosix('links', () => {
    test('a link to nothing in place of a folder is a refusal', async () => {
      await using one = await startWriter();
      const { file, writer, layout } = one;
      symlinkSync('nowhere', layout.part('responses_v1'));
      await expect(writer.stage(A, file, 1e6)).rejects.toMatchObject({ kind: 'refusal' });
      expect(existsSync(path.join(layout.root, 'nowhere'))).toBe(false);
    });
  });
});
