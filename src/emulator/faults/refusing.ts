import type { FaultControls } from '../faults.ts';
import type { FaultDefinition, FaultSetting, Moment } from './definition.ts';
import { KINDS } from './kinds.ts';
import type { ParamTable } from './params.ts';
import { type Refusal, refusal, retryAfter, WORDING_NAMES, type Wording } from './refusals.ts';

/** How a refusal is worded; for all faults that refuse. */
export const WORDING: ParamTable = {
  spelling: { type: WORDING_NAMES, says: 'in the words of this registry; default oci' },
  code: { type: 'text', says: 'with this error code' },
  message: { type: 'text', says: 'with this message' },
  'retry-after': {
    type: 'text',
    says: 'with this Retry-After: seconds, date+3s, date-60s, absent, or any rubbish',
  },
};

const HOW: ParamTable = {
  handled: { type: 'flag', says: 'the request is handled first' },
  early: { type: 'flag', says: 'answered before the body is read, and the connection closed' },
  session: { type: ['gone'], says: 'the upload session is destroyed as well' },
};

/** Makes refusals from the parameters of {@link WORDING}. */
export function wordedRefusal(
  { values }: FaultSetting,
  moment: Moment,
  defaults: { status: number; spelling?: Wording; code?: string; message?: string },
): Refusal {
  const made = refusal((values.text('spelling') as Wording | undefined) ?? defaults.spelling ?? 'oci', {
    status: defaults.status,
    kind: moment.kind,
    code: values.text('code') ?? defaults.code,
    message: values.text('message') ?? defaults.message,
  });
  const after = values.text('retry-after');
  return after === undefined
    ? made
    : { ...made, headers: { ...made.headers, ...retryAfter(after, Date.now()) } };
}

function refusing(setting: FaultSetting, status: number) {
  const { values } = setting;
  let controls: FaultControls | undefined;
  return {
    start(given: FaultControls) {
      controls = given;
      return () => {};
    },
    before(moment: Moment) {
      const { reference } = moment.exchange;
      const drops = values.has('session') && moment.exchange.route === 'upload-session';
      return {
        kind: 'respond' as const,
        ...wordedRefusal(setting, moment, { status }),
        drain: !values.has('early'),
        handled: values.has('handled'),
        ...(drops && reference !== undefined && { afterwards: () => controls?.dropSession(reference) }),
      };
    },
  };
}

/** A status from 400 to 599 is a fault of its own. */
export function statusFault(name: string): FaultDefinition | undefined {
  return /^[45]\d\d$/.test(name) ? { ...STATUS, name } : undefined;
}

/** All statuses, under the name that stands for them in the documentation. */
export const STATUS: FaultDefinition = {
  name: 'STATUS',
  says: 'A status from 400 to 599 in place of the answer.',
  example: '429@manifest-write:every=10,retry-after=3',
  kinds: KINDS,
  params: { ...WORDING, ...HOW },
  make: (setting) => refusing(setting, Number(setting.name)),
};

export const REFUSING: readonly FaultDefinition[] = [
  STATUS,
  {
    name: 'storm',
    says: 'The same status for everything, for a while.',
    example: 'storm:from=10s,for=20s,status=503',
    kinds: KINDS,
    params: { status: { type: 'status', says: 'default 503' }, ...WORDING, ...HOW },
    make: (setting) => refusing(setting, setting.values.number('status') ?? 503),
  },
];
