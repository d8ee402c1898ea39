import { readFileSync, writeFileSync } from 'node:fs';

// What a process holds in memory, as Linux counts it. Elsewhere nothing is known.

const MIB = 1_024;

/** Begins a watch of some processes' memory; what it answers tells their peak and their growth since then, in MiB: the largest of each. */
export function watchMemory(pids) {
  const before = pids.map((pid) => {
    forgetPeak(pid);
    return status(pid, 'VmRSS');
  });
  return () => {
    const peaks = pids.map((pid) => status(pid, 'VmHWM'));
    return { peakMiB: Math.max(...peaks), growthMiB: Math.max(...peaks.map((peak, index) => peak - before[index])) };
  };
}

function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak is then that of all its life.
  }
}

function status(pid, name) {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${name}:`));
    return Number(/\d+/.exec(line)[0]) / MIB;
  } catch {
    return NaN;
  }
}
