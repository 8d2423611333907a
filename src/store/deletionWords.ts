import { GENERIC } from '../registry/profiles/generic.ts';
import type { DeletionOutcome } from './deletionLadder.ts';

/**
 * What becomes of the room that a deleted object took, as a sentence for the user; undefined where nothing was there.
 *
 * @param reclaims what the registry does with what was deleted, as its profile has it
 */
export function deletionRemark(
  outcome: DeletionOutcome,
  reclaims: string = GENERIC.deletion.reclaims.value,
): string | undefined {
  switch (outcome) {
    case 'absent':
      return undefined;
    case 'deleted':
      return `Deleted objects give their room back when the registry collects its garbage. ${reclaims}`;
    case 'hidden':
      return `The registry refuses to delete: the objects are hidden by tombstones, and their tags name nothing any more. Their room is given back when it collects untagged manifests. ${reclaims}`;
    case 'kept':
      return 'The registry refuses to delete, or protects its tags: the objects are hidden by tombstones, and stay stored until its operator removes them.';
  }
}
