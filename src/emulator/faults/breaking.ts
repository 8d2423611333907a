import type { AnswerPlace, FaultAction, FaultControls } from '../faults.ts';
import type { FaultDefinition, FaultHooks, FaultSetting, Moment } from './definition.ts';
import { KINDS, type Kind, WITH_ANSWER, WITH_BODY } from './kinds.ts';
import type { ParamTable } from './params.ts';
import { placeIn } from './values.ts';

const PLACE: ParamTable = {
  at: { type: 'place', says: 'at this place of the body, 64KiB or 40%' },
  after: { type: 'place', says: 'the same as at' },
};

const BREAK: ParamTable = {
  ...PLACE,
  side: {
    type: ['request', 'answer'],
    says: 'the body that is meant; default: the one that carries an object',
  },
  handled: { type: 'flag', says: 'the request is handled, and then not answered' },
  session: { type: ['gone'], says: 'the upload session is destroyed as well' },
};

function breaking(setting: FaultSetting, silent: boolean): FaultHooks {
  const { values, refuse } = setting;
  if (values.has('at') && values.has('after')) refuse('at and after are the same, it has both');
  const place = values.place('at', 'after');
  if (place !== undefined && values.has('handled')) refuse('it is handled in whole, or breaks at a place');
  let controls: FaultControls | undefined;
  return {
    start(given) {
      controls = given;
      return () => {};
    },
    before(moment) {
      const { reference, route } = moment.exchange;
      const drops = values.has('session') && route === 'upload-session' && reference !== undefined;
      return {
        ...breakAt(moment, place, values.has('handled'), silent, values.text('side')),
        ...(drops && { afterwards: () => controls?.dropSession(reference) }),
      };
    },
  };
}

function breakAt(
  moment: Moment,
  place: AnswerPlace | undefined,
  handled: boolean,
  silent: boolean,
  side: string | undefined,
): FaultAction {
  if (handled) return { kind: 'lose-response', silent };
  const inAnswer = side === undefined ? WITH_ANSWER.includes(moment.kind) : side === 'answer';
  if (place !== undefined && inAnswer) {
    return { kind: silent ? 'stall-response' : 'cut-response', afterResponseBytes: place };
  }
  const bytes = place === undefined ? 0 : placeIn(place, moment.declaredBytes);
  return { kind: silent ? 'stall' : 'reset', afterRequestBytes: bytes };
}

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  if (index < 0 || index >= bytes.length) return bytes;
  const copy = Uint8Array.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function corrupting({ values }: FaultSetting): FaultHooks {
  const place = values.place('at', 'after') ?? { share: 0.5 };
  const indexIn = (lengthBytes: number | undefined) =>
    Math.min(placeIn(place, lengthBytes), (lengthBytes ?? Number.POSITIVE_INFINITY) - 1);
  return {
    request: ({ kind, declaredBytes }) =>
      WITH_BODY.includes(kind)
        ? { change: (chunk, at) => Buffer.from(flipped(chunk, indexIn(declaredBytes) - at)) }
        : undefined,
    body: (_, chunk, at, lengthBytes) => flipped(chunk, indexIn(lengthBytes) - at),
  };
}

const carries = (kinds: readonly Kind[]) => (moment: Moment) => kinds.includes(moment.kind);
const isUpload = carries(WITH_BODY);

export const BREAKING: readonly FaultDefinition[] = [
  {
    name: 'reset',
    says: 'The connection is reset, at once or in the middle of a body.',
    example: 'reset@upload-chunk:at=40%,p=0.02',
    kinds: KINDS,
    params: BREAK,
    make: (setting) => breaking(setting, false),
  },
  {
    name: 'stall',
    says: 'Nothing moves any more, at once or from the middle of a body on, until the client gives up.',
    example: 'stall@blob-read:after=64KiB,nth=2',
    kinds: KINDS,
    params: BREAK,
    make: (setting) => breaking(setting, true),
  },
  {
    name: 'lost',
    says: 'The request is handled and the answer lost.',
    example: 'lost@upload-commit:nth=1',
    kinds: [],
    params: { silent: { type: 'flag', says: 'the connection stays open without an answer' } },
    make: ({ values }) => ({ before: () => ({ kind: 'lose-response', silent: values.has('silent') }) }),
  },
  {
    name: 'delay',
    says: 'The request is handled after a time.',
    example: 'delay@manifest-write:by=200ms',
    kinds: KINDS,
    params: { by: { type: 'time', says: 'how long', needed: true } },
    make: ({ values }) => ({
      before: () => ({
        kind: 'hold',
        until: new Promise((resolve) => setTimeout(resolve, values.number('by')).unref()),
      }),
    }),
  },
  {
    name: 'drip',
    says: 'The body moves at this pace: that of the request for uploads, that of the answer for reads.',
    example: 'drip@blob-read:rate=20KiB/s',
    kinds: ['blob-read'],
    allowed: [...WITH_BODY, ...WITH_ANSWER],
    params: { rate: { type: 'pace', says: 'bytes per second', needed: true } },
    make: ({ values }) => {
      const bytesPerSecond = values.number('rate') ?? 1;
      return {
        before: (moment) => (isUpload(moment) ? undefined : { kind: 'pace-response', bytesPerSecond }),
        request: (moment) => (isUpload(moment) ? { bytesPerSecond } : undefined),
      };
    },
  },
  {
    name: 'truncate',
    says: 'An answer that is too short and well-formed: its Content-Length is that of the part.',
    example: 'truncate@manifest-read:at=40%',
    kinds: ['blob-read'],
    allowed: WITH_ANSWER,
    params: PLACE,
    make: ({ values }) => ({
      before: () => ({
        kind: 'shorten-response',
        afterResponseBytes: values.place('at', 'after') ?? { share: 0.5 },
      }),
    }),
  },
  {
    name: 'corrupt',
    says: 'One bit of the body is wrong: of what is stored for uploads, of what is sent for reads.',
    example: 'corrupt@blob-read:at=1MiB,nth=1',
    kinds: ['blob-read'],
    allowed: [...WITH_BODY, 'blob-read', 'manifest-read'],
    params: PLACE,
    make: corrupting,
  },
  {
    name: 'duplicate',
    says: "The request is handled twice, as by a proxy's own retry; the second answer is sent.",
    example: 'duplicate@upload-chunk:nth=2',
    kinds: [],
    params: {},
    make: () => ({ before: () => ({ kind: 'handle-twice' }) }),
  },
  {
    name: 'echo',
    says: 'The answer is sent twice on the connection. Answers that carry a blob come once.',
    example: 'echo@upload-start:nth=1',
    kinds: KINDS,
    params: {},
    make: () => ({ before: () => ({ kind: 'answer-twice' }) }),
  },
];
