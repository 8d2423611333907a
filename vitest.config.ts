import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const common = {
  environment: 'node' as const,
  pool: 'forks' as const,
  // What commands keep between runs must not be kept where the user of this machine keeps it.
  env: { XDG_STATE_HOME: join(tmpdir(), 'kloset-oci-test-state') },
};

export default defineConfig({
  test: {
    // Tests wait for servers, clocks and disks half of their time; one less than there are processors, which is the default,
    // leaves a machine of two with one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/conformance/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...common,
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
