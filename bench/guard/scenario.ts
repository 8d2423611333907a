/** What a scenario is given, and what it gives back. */

/** Figures by name. They are counts or ratios, never times of their own. */
export type Figures = Readonly<Record<string, number>>;

interface Stage {
  /** Address of the registry that the scenario talks to, `127.0.0.1:PORT`; it lives in another process. */
  readonly address: string;
  /** An empty folder, removed afterwards. */
  readonly folder: string;
}

/** Runs in a process of its own, with the counters loaded. */
export type Scenario = (stage: Stage) => Promise<Figures>;
