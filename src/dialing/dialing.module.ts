import { Module } from '@nestjs/common';
import { CallFlowsModule } from '../call-flows/call-flows.module.js';
import { CallRecaller } from './call-recaller.js';
import { CallReconciler } from './call-reconciler.js';
import { CalloutOutcomes } from './callout-outcomes.js';
import { CalloutLimits } from './callout-limits.js';
import { CalloutTrials } from './callout-trials.js';
import { DialClaims } from './dial-claims.js';
import { DialQueue } from './dial-queue.js';
import { DialResults } from './dial-results.js';
import { DialGate } from './dial-gate.js';
import { DialHandler } from './dial.handler.js';
import { Dispatcher } from './dispatcher.js';
import { FetchHandler } from './fetch.handler.js';
import { RecallHandler } from './recall.handler.js';
import { ReservationWindow } from './reservation-window.js';

/** Dials queued calls, looks up silent ones, and recalls those of stopped callouts, where background work is done. */
@Module({
  imports: [CallFlowsModule],
  providers: [
    ReservationWindow,
    DialGate,
    CalloutLimits,
    DialQueue,
    DialClaims,
    DialResults,
    CalloutTrials,
    CalloutOutcomes,
    CallReconciler,
    CallRecaller,
    DialHandler,
    FetchHandler,
    RecallHandler,
    Dispatcher,
  ],
  exports: [DialGate, DialHandler, FetchHandler, RecallHandler],
})
export class DialingModule {}
