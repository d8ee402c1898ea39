import { CreateContactsAndCallouts1764000000000 } from './1764000000000-create-contacts-and-callouts.js';
import { CreatePhoneCalls1764100000000 } from './1764100000000-create-phone-calls.js';
import { AddCallFlows1764200000000 } from './1764200000000-add-call-flows.js';
import { IndexNumbersAndOptOuts1764210000000 } from './1764210000000-index-numbers-and-opt-outs.js';
import { CreateEvents1764700000000 } from './1764700000000-create-events.js';
import { CreateSettings1764600000000 } from './1764600000000-create-settings.js';
import { IndexCallsByStage1764620000000 } from './1764620000000-index-calls-by-stage.js';
import { IndexCallsForAnyStatistics1764500000000 } from './1764500000000-index-calls-for-any-statistics.js';
import { IndexHandedOutCalls1764400000000 } from './1764400000000-index-handed-out-calls.js';
import { HoldCalloutsAndTakeUnknownCallers1764610000000 } from './1764610000000-hold-callouts-and-take-unknown-callers.js';
import { IndexParticipationsOfCallouts1764300000000 } from './1764300000000-index-participations-of-callouts.js';
import { KeepTheBeginningOfTrials1764800000000 } from './1764800000000-keep-the-beginning-of-trials.js';
import { LetCalloutsRunThemselves1764850000000 } from './1764850000000-let-callouts-run-themselves.js';
import { AddOutcomes1764900000000 } from './1764900000000-add-outcomes.js';
import { FillInOutcomes1764910000000 } from './1764910000000-fill-in-outcomes.js';
import { AddFirstCallTimes1764960000000 } from './1764960000000-add-first-call-times.js';
import { FillInFirstCallTimes1764970000000 } from './1764970000000-fill-in-first-call-times.js';
import { AddRecalls1764930000000 } from './1764930000000-add-recalls.js';
import { RememberLastPopulations1764920000000 } from './1764920000000-remember-last-populations.js';
import { SeparatePostponements1764940000000 } from './1764940000000-separate-postponements.js';

/** All migrations, oldest first. Both databases have the same ones. */
export const migrations = [
  CreateContactsAndCallouts1764000000000,
  CreatePhoneCalls1764100000000,
  AddCallFlows1764200000000,
  IndexNumbersAndOptOuts1764210000000,
  IndexParticipationsOfCallouts1764300000000,
  IndexHandedOutCalls1764400000000,
  IndexCallsForAnyStatistics1764500000000,
  CreateSettings1764600000000,
  HoldCalloutsAndTakeUnknownCallers1764610000000,
  IndexCallsByStage1764620000000,
  CreateEvents1764700000000,
  KeepTheBeginningOfTrials1764800000000,
  LetCalloutsRunThemselves1764850000000,
  AddOutcomes1764900000000,
  FillInOutcomes1764910000000,
  RememberLastPopulations1764920000000,
  AddRecalls1764930000000,
  SeparatePostponements1764940000000,
  AddFirstCallTimes1764960000000,
  FillInFirstCallTimes1764970000000,
];
