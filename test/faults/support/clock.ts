import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from '../../../scripts/programs.mjs';

/** @returns the path of libfaketime, by asking Debian's `faketime` program */
function findLibfaketime(): string {
  const { faketime } = findPrograms({ faketime: 'faketime' });
  const env = { PATH: process.env.PATH };
  const environment = execFileSync(faketime!, ['-f', '+0s', 'env'], { env, encoding: 'utf8' });
  return /^LD_PRELOAD=(.+)$/m.exec(environment)![1]!;
}

const formatOffset = (seconds: number): string => `${seconds < 0 ? '' : '+'}${seconds}s`;

/** @returns the environment of a program whose clock is `seconds` ahead. Its timers keep real time. */
export function skewedClock(seconds: number): Record<string, string> {
  return { LD_PRELOAD: findLibfaketime(), FAKETIME: formatOffset(seconds), FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** A clock whose offset changes while programs use it. Their timers keep real time. */
export class MovableClock {
  private readonly folder = mkdtempSync(join(tmpdir(), 'scfm-clock-'));
  private readonly file = join(this.folder, 'shift');

  constructor() {
    // PostgreSQL reads the file as another user.
    chmodSync(this.folder, 0o755);
    this.setOffset(0);
  }

  /** The environment of a program that uses this clock. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: findLibfaketime(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock to `seconds` ahead of real time. Programs notice within a second. */
  setOffset(seconds: number): void {
    writeFileSync(this.file, formatOffset(seconds));
  }

  /** Removes the file of the offset. */
  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
