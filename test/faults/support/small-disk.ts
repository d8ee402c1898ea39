import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of its own at a folder, which can be full. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /**
   * Mounts an empty disk there, which belongs to that account.
   * @throws Error when this process may not mount: only root may
   */
  static mount(folder: string, { uid = 0, gid = 0 }: { uid?: number; gid?: number }, megabytes = 256): SmallDisk {
    mkdirSync(folder, { recursive: true });
    const options = `size=${megabytes}m,mode=700,uid=${uid},gid=${gid}`;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      throw new Error('A full disk is tried on a small one, which only root may mount: run the faults as root.', {
        cause: error,
      });
    }
    return new SmallDisk(folder);
  }

  /** Leaves not a byte free. */
  fill(): void {
    const file = openSync(this.filler, 'w');
    try {
      for (const block = Buffer.alloc(65_536); writeSync(file, block) > 0;);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  free(): void {
    rmSync(this.filler, { force: true });
  }

  /** Takes the disk and its folder away. */
  unmount(): void {
    execFileSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  private get filler(): string {
    return join(this.folder, 'filler');
  }
}
