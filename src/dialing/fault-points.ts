/** The points of a dial, or of a request to end a call, at which a test can kill the process. */
export type FaultPoint = 'claimed' | 'placed' | 'recorded' | 'ended';

/** Kills this process if `SCFM_TEST_DIES_WHEN` names this point. Only tests set this variable. */
export function faultPoint(point: FaultPoint): void {
  if (process.env.SCFM_TEST_DIES_WHEN === point) process.kill(process.pid, 'SIGKILL');
}
