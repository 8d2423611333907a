import type { MacSet } from './macSet.ts';
import { type ObjectRef, type ObjectType, tagOf } from './objectNames.ts';
import { isLive, isRegular, newestOf, REGULAR, type Standing } from './standing.ts';
import type { TagSurvey } from './tagSurvey.ts';

interface Change {
  readonly standing: Standing;
  readonly at: number;
}

/**
 * What is known of the repository's tags: of the last walk over them, and of what this process has changed since.
 * Only objects out of the ordinary take room here.
 */
export class TagTable {
  #irregular = new Map<string, Standing>();
  /** Own changes that a walk may have missed, since it began before them. */
  readonly #changes = new Map<string, Change>();
  #now = 0;
  #surveyedFrom: number | undefined;
  #present: ReadonlyMap<ObjectType, MacSet> | undefined;
  #foreign: string | undefined;
  #holdsConfig = false;

  /** True once the tags were walked over. */
  get known(): boolean {
    return this.#surveyedFrom !== undefined;
  }

  /** A tag that is not of this store, where there is one. */
  get foreign(): string | undefined {
    return this.#foreign;
  }

  get holdsConfig(): boolean {
    return this.#holdsConfig;
  }

  standing(ref: ObjectRef): Standing {
    return this.#irregular.get(tagOf(ref)) ?? REGULAR;
  }

  /** The tag under which an object is read; `undefined` for one that is deleted. */
  tagToRead(ref: ObjectRef): string | undefined {
    const standing = this.standing(ref);
    return isLive(standing) ? tagOf(ref, newestOf(standing)) : undefined;
  }

  /** Notes what this process has made of an object. */
  note(ref: ObjectRef, standing: Standing): void {
    const tag = tagOf(ref);
    if (isRegular(standing) && !this.#irregular.has(tag)) return;
    this.#changes.set(tag, { standing, at: ++this.#now });
    this.#set(tag, standing);
  }

  /** An object is there now. */
  noteStored(ref: ObjectRef): void {
    this.#present?.get(ref.type)?.add(ref.mac);
  }

  /** Whether an object was there; `undefined` where nobody has looked for that. */
  mayHold(ref: ObjectRef): boolean | undefined {
    const present = this.#present?.get(ref.type);
    if (isRegular(this.standing(ref))) return present?.has(ref.mac);
    return isLive(this.standing(ref)) && (present ? true : undefined);
  }

  /** Takes over what a walk has found. */
  async survey(walk: () => Promise<TagSurvey>, keep = false): Promise<TagSurvey> {
    const startedAt = this.#now;
    const survey = await walk();
    // Of two walks at once the later one has seen more.
    if (this.#surveyedFrom !== undefined && startedAt < this.#surveyedFrom) return survey;
    this.#surveyedFrom = startedAt;
    this.#foreign = survey.foreign;
    this.#holdsConfig = survey.holdsConfig;
    if (keep) this.#present = survey.macs;
    this.#irregular = new Map(survey.irregular);
    for (const [tag, { standing, at }] of this.#changes) {
      if (at > startedAt) this.#set(tag, standing);
      else this.#changes.delete(tag);
    }
    return survey;
  }

  #set(tag: string, standing: Standing): void {
    if (isRegular(standing)) this.#irregular.delete(tag);
    else this.#irregular.set(tag, standing);
  }
}
