import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A small in-memory file system that a test can fill up. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /**
   * Mounts an empty file system.
   *
   * @param folder the mount point, which is created
   * @param owner the user and group that own it
   * @param megabytes its size (MiB)
   * @throws Error when this process is not root
   */
  static mount(folder: string, { uid = 0, gid = 0 }: { uid?: number; gid?: number }, megabytes = 256): SmallDisk {
    mkdirSync(folder, { recursive: true });
    const options = `size=${megabytes}m,mode=700,uid=${uid},gid=${gid}`;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      throw new Error(
        'The test of a full disk mounts a small one, which only root may do. Run the fault tests as root.',
        {
          cause: error,
        },
      );
    }
    return new SmallDisk(folder);
  }

  /** Fills the file system completely. */
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

  /** Frees what `fill` has taken. */
  free(): void {
    rmSync(this.filler, { force: true });
  }

  /** Unmounts the file system, and removes its folder. */
  unmount(): void {
    execFileSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  private get filler(): string {
    return join(this.folder, 'filler');
  }
}
