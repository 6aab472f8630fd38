import type { CrdtType } from '../crdt/crdt-type.ts'
import { mvRegister } from '../crdt/mv-register.ts'
import type { MvRegister, RegisterOperation } from '../crdt/mv-register.ts'
import { tree } from '../crdt/tree.ts'
import { schemaValue } from '../crdt/value-type.ts'
import type { Files, FilesOperation } from './plan/item.ts'
import { versionSchema } from './version-schema.ts'
import type { Version } from './version.ts'

/** The tree of a drive: each entry holds the versions that were written without knowing of each other. */
export const filesType: CrdtType<Files, FilesOperation> = tree<MvRegister<Version>, RegisterOperation<Version>>(
  mvRegister(schemaValue('version', versionSchema)),
)

/** What the replica of a drive's group has. */
export const driveSchema: { readonly files: typeof filesType } = { files: filesType }
