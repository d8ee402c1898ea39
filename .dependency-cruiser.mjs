/**
 * The rooms of the program, from the lowest to the highest. A file imports from its own room and from lower ones only.
 * docs/architecture.md says what each room is for.
 */
export const rooms = [
  ['values', '^src/(errors|logging|metadata|phone-numbers|random|registry|time-zones)/'],
  ['config', '^src/config/'],
  ['dial plans', '^src/dial-plans/'],
  ['database', '^src/database/'],
  ['server', '^src/server/'],
  ['api', '^src/api/'],
  ['state machine', '^src/state-machine/'],
  [
    'records',
    '\\.(entity|machine)\\.ts$|^src/(entities|contacts/opted-out|callouts/callout-(?:priority|schemas)|call-flows/call-flow-state|call-flows/call-flow\\.names|events/event-types|outcomes/outcome-names|telephony/end-status|batch-operations/types/batch-operation-types)\\.ts$',
  ],
  ['telephony', '^src/telephony/'],
  ['jobs', '^src/jobs/'],
  ['events', '^src/events/'],
  ['outcomes', '^src/outcomes/'],
  ['call-flows', '^src/call-flows/'],
  ['recalls', '^src/recalls/'],
  ['features', '^src/(contacts|callouts|callout-participations|phone-calls|batch-operations|coverage)/'],
  ['dialing', '^src/dialing/'],
  ['callout runner', '^src/callout-runner/'],
  ['forecast', '^src/forecast/'],
  ['webhooks', '^src/webhooks/'],
  ['simulator', '^src/simulator/'],
  ['application', '^src/(health|backup)/|^src/[^/]+\\.ts$'],
];

const notBelow = (level) => rooms.slice(level + 1).map(([, path]) => path);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...rooms.slice(0, -1).map(([name, path], level) => ({
      name: `${name}-imports-nothing-above`,
      severity: 'error',
      from: { path, pathNot: rooms.slice(0, level).map(([, lower]) => lower) },
      to: { path: notBelow(level), pathNot: rooms.slice(0, level + 1).map(([, lower]) => lower) },
    })),
    {
      name: 'no-service-of-another-feature',
      severity: 'error',
      from: { path: '^src/(contacts|callouts|callout-participations|phone-calls|batch-operations|coverage)/' },
      to: {
        path: '^src/(contacts|callouts|callout-participations|phone-calls|batch-operations)/.*\\.service\\.ts$',
        pathNot: '^src/$1/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    reporterOptions: { archi: { collapsePattern: '^src/[^/]+' } },
  },
};
