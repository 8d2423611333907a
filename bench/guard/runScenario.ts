/** One scenario in a process of its own: `node --import ./counters.ts runScenario.ts NAME ADDRESS FOLDER`. */
import type { Scenario } from './scenario.ts';

const [name = '', address = '', folder = ''] = process.argv.slice(2);
const { default: scenario } = (await import(`./scenarios/${name}.ts`)) as { default: Scenario };
const figures = await scenario({ address, folder });
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
