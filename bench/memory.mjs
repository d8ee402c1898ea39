import { readFileSync, writeFileSync } from 'node:fs';

// The memory of processes, from Linux's /proc. On other systems all values are NaN.

const MIB = 1_024;

/**
 * Starts to watch the memory of processes.
 *
 * @returns a function that returns the largest peak and the largest growth since the start (MiB)
 */
export function watchMemory(pids) {
  const before = pids.map((pid) => {
    resetPeak(pid);
    return status(pid, 'VmRSS');
  });
  return () => {
    const peaks = pids.map((pid) => status(pid, 'VmHWM'));
    return { peakMiB: Math.max(...peaks), growthMiB: Math.max(...peaks.map((peak, index) => peak - before[index])) };
  };
}

function resetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Without permission, the peak is that since the start of the process.
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
