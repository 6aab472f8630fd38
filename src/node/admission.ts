import { PlaitError } from '../base/error.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Admission } from './node-api.ts'

/** Whether a node may do what `admission` guards; nobody may when it is absent. */
export function isAdmitted(remoteId: NodeId, admission: Admission | undefined): boolean {
  if (admission === undefined) return false
  return admission === 'anyone' || admission.includes(remoteId)
}

/** A copy that no caller can change. Throws `INVALID_ARGUMENT`. */
export function copyAdmission(admission: Admission, what: string): Admission {
  if (admission === 'anyone') return admission
  if (!Array.isArray(admission) || admission.some((id) => typeof id !== 'string')) {
    throw new PlaitError('INVALID_ARGUMENT', `${what} must be 'anyone' or a list of node ids`)
  }
  return admission.slice() as readonly NodeId[]
}
