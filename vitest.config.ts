import { defineConfig } from 'vitest/config';

const shared = { testTimeout: 120_000, hookTimeout: 120_000 };

/** What concerns neither the database nor the queue is the same on both ways, and runs on one. */
const EMBEDDED_ONLY = [
  'access',
  'docs',
  'env-file',
  'simulator',
  'simulator-access',
  'simulator-input',
  'unauthenticated-cost',
];
const CLUSTER_ONLY = ['tls-postgres', 'tls-redis'];

const others = {
  embedded: CLUSTER_ONLY,
  cluster: EMBEDDED_ONLY,
};

/**
 * `unit` needs nothing; every other end-to-end test runs on both ways to run the program, `embedded` and `cluster`.
 * `faults` breaks things, and takes its time: `npm run test:faults`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/**/*.spec.ts'] } },
      ...(['embedded', 'cluster'] as const).map((way) => ({
        test: {
          ...shared,
          name: way,
          include: ['test/**/*.e2e-spec.ts'],
          exclude: others[way].map((name) => `test/${name}.e2e-spec.ts`),
          env: { SCFM_TEST_WAY: way },
        },
      })),
      {
        test: {
          testTimeout: 1_200_000,
          hookTimeout: 120_000,
          name: 'faults',
          include: ['test/faults/*.faults-spec.ts'],
        },
      },
    ],
  },
});
