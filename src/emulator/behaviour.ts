import type { Answer } from './answers.ts';
import type { ManifestEntry, Repository } from './catalogue.ts';
import type { Call, Context } from './context.ts';
import type { ManifestContent } from './manifestContent.ts';
import { specifiedManifests } from './manifestRules.ts';
import { specifiedTags } from './tags.ts';
import { specifiedUploads } from './uploadRules.ts';
import type { UploadSession } from './uploadSessions.ts';

/**
 * Where registries differ from each other: the handlers ask here what to take, what to refuse and how to say it.
 * {@link SPECIFIED} is the registry that the specification describes; profiles/ makes those that people have.
 * A hook that is absent costs nothing and changes nothing.
 */
export interface Behaviour {
  readonly uploads: UploadRules;
  readonly blobs: BlobRules;
  readonly manifests: ManifestRules;
  readonly tags: (call: Call) => Answer;
  /** False: the path of the referrers is answered as an unknown one. */
  readonly referrers: boolean;
  /** Looks at a request before its handler does; an answer refuses it. */
  admit?(context: Context, call: Call): Answer | undefined;
  /** May change an answer that is about to be sent. */
  finish?(call: Call, answer: Answer): Answer;
}

/** What is done with the body of a chunk: the first bytes are passed over, or all of them are. */
export interface Intake {
  readonly skipBytes: number;
}

export interface UploadRules {
  /** What becomes of a blob that comes with the POST: stored, or read and lost before an ordinary session opens. */
  singlePost(call: Call): 'stored' | 'ignored' | Answer;
  /** The session that a request means, or why there is none. */
  find(context: Context, call: Call): UploadSession | Answer;
  /** Judges a PATCH by its head. */
  takeChunk(call: Call, session: UploadSession): Intake | Answer;
  /** Judges a closing PUT by its head. */
  takeLast(call: Call, session: UploadSession): Intake | Answer;
  /** The answer about a session: to its POST, to a chunk, to the question where it is. */
  tell(moment: 'opened' | 'chunk' | 'status', session: UploadSession, call: Call): Answer;
  refuseMount?(call: Call): Answer | undefined;
  /** Judges the blob that a closing PUT completes; a refusal ends the session. */
  refuseCommit?(session: UploadSession, emptyBody: boolean): Answer | undefined;
  /** The answer to a blob that has another digest; default: 400 `DIGEST_INVALID`. */
  wrongDigest?(digest: string): Answer;
  /** Sees a blob that was stored. */
  stored?(repository: string, digest: string): void;
  /** Sessions end when their client's connection breaks in the middle of a body. */
  readonly endsWhenCut?: boolean;
}

interface BlobRules {
  /** False: a `Range` is not seen. */
  readonly ranges: boolean;
  /** A redirect in place of the bytes. */
  redirect?(call: Call, digest: string): Answer;
  refuseRead?(call: Call, digest: string): Answer | undefined;
  refuseDelete?(context: Context, call: Call, digest: string): Promise<Answer | undefined>;
}

export interface ManifestRules {
  /** False: the 201 carries no Location. */
  readonly tellsLocation: boolean;
  /** PUT by digest with `?tag=` sets tags. */
  readonly setsTagsByQuery: boolean;
  tooLarge(): Answer;
  missing(digest: string): Answer;
  refusePut?(call: Call, content: ManifestContent, digest: string): Answer | undefined;
  /** Sees a tag that was set. */
  stored?(call: Call, before: string | undefined): void;
  /** The manifest that a read finds; default: the newest. */
  resolve?(call: Call): ManifestEntry | undefined;
  refuseRead?(call: Call, record: ManifestEntry): Answer | undefined;
  refuseDelete?(context: Context, call: Call, repository: Repository): Promise<Answer | undefined>;
  /** The most tags that one deletion by digest removes; the answer when there are more. */
  readonly tagsPerDelete?: { readonly limit: number; answer(call: Call): Answer };
}

/** The registry of the specification. */
export const SPECIFIED: Behaviour = {
  uploads: specifiedUploads,
  blobs: { ranges: true },
  manifests: specifiedManifests,
  tags: specifiedTags,
  referrers: true,
};
