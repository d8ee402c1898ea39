/** The moments of a dial at which a test may want the process to die. */
export type FaultPoint = 'claimed' | 'placed' | 'recorded';

/** Kills this process on the spot if the environment names this moment, as only a test does; otherwise nothing. */
export function faultPoint(point: FaultPoint): void {
  if (process.env.SCFM_TEST_DIES_WHEN === point) process.kill(process.pid, 'SIGKILL');
}
