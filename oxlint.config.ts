import { defineConfig, type OxlintConfig, type OxlintOverride } from 'oxlint'
import {
  doors,
  fileLinesMax,
  functionLinesMax,
  importableByLayer,
  layers,
  nodeGlobals,
  systemGlobals,
  systemProperties,
  type Layer,
} from './test/tidy/layers.ts'

/** Tests and tools: exempt from the direction of imports and from the doors, not from the rest. */
const exempt = ['**/*.test.ts', 'test/**', 'conformance/**', 'examples/**', 'bench/**', 'scripts/**', '*.config.ts']

const nodeImports = {
  regex: '^(node:|fs$|fs/|net$|tls$|crypto$|path$|os$|stream$|events$|buffer$)',
  message: `node: modules are imported only in ${doors.node.join(', ')}. Take what is needed as an argument.`,
}

const config: OxlintConfig = defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  env: { builtin: true, node: true },
  ignorePatterns: ['dist/', 'node_modules/'],
  rules: {
    'eslint/eqeqeq': 'error',
    'eslint/max-lines': ['error', { max: fileLinesMax }],
    'eslint/max-lines-per-function': ['error', { max: functionLinesMax, IIFEs: true }],
    'eslint/no-console': 'error',
    'eslint/no-var': 'error',
    'eslint/prefer-const': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-restricted-types': ['error', { types: { Buffer: { message: 'Say Uint8Array.' } } }],
    'vitest/no-disabled-tests': 'error',
    'vitest/no-focused-tests': 'error',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    ...silenced(),
  },
  overrides: [
    ...layers.map((layer) => doorless(layer)),
    ...doors.node.map((folder) => throughNodeDoor(folder)),
    ...doors.system.map((folder) => throughSystemDoor(folder)),
    { files: [...exempt], rules: exemptions() },
    { files: ['src/cli/**'], rules: { 'eslint/no-console': 'off' } },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
})

export default config

/** Rules of the categories above that cost more here than they give. */
function silenced(): NonNullable<OxlintOverride['rules']> {
  return {
    // Sorting, filling and copying in place is what hot paths and small lists do; a copy before a loop that deletes is no waste.
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-new-array': 'off',
    'unicorn/no-useless-spread': 'off',
    // Indexed reads after a checked bound are written `as number`.
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/require-array-sort-compare': 'off',
    'typescript/consistent-return': 'off',
    // Loops wait for what a callback changes; control characters are looked for to be refused.
    'eslint/no-unmodified-loop-condition': 'off',
    'eslint/no-control-regex': 'off',
    'promise/no-promise-in-callback': 'off',
    'unicorn/require-module-specifiers': 'off',
    'vitest/require-to-throw-message': 'off',
    'promise/always-return': 'off',
    'import/no-named-as-default-member': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'eslint/no-shadow': 'off',
    'eslint/no-underscore-dangle': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/require-mock-type-parameters': 'off',
  }
}

function doorless(layer: Layer): OxlintOverride {
  return {
    files: [`src/${layer}/**`],
    rules: {
      'eslint/no-restricted-imports': ['error', { patterns: [nodeImports, belowOf(layer)] }],
      'eslint/no-restricted-globals': ['error', ...bannedGlobals([...systemGlobals, ...nodeGlobals])],
      'eslint/no-restricted-properties': ['error', ...bannedProperties()],
    },
  }
}

function throughNodeDoor(folder: string): OxlintOverride {
  return {
    files: [`${folder}/**`],
    rules: {
      'eslint/no-restricted-imports': ['error', { patterns: [belowOf(layerOf(folder))] }],
      'eslint/no-restricted-globals': ['error', ...bannedGlobals(systemGlobals)],
    },
  }
}

function throughSystemDoor(folder: string): OxlintOverride {
  return {
    files: [`${folder}/**`],
    rules: { 'eslint/no-restricted-globals': 'off', 'eslint/no-restricted-properties': 'off' },
  }
}

function exemptions(): NonNullable<OxlintOverride['rules']> {
  return {
    'eslint/max-lines-per-function': 'off',
    'eslint/no-console': 'off',
    'eslint/no-restricted-globals': 'off',
    'eslint/no-restricted-imports': 'off',
    'eslint/no-restricted-properties': 'off',
  }
}

/** Relative imports that leave the layer for a folder that it may not know. */
function belowOf(layer: Layer): { regex: string; message: string } {
  const refused = layers.filter((other) => other !== layer && !importableByLayer.get(layer)?.includes(other))
  return {
    regex: `^(\\.\\./)+((${refused.join('|')})/|index\\.ts$)`,
    message: `src/${layer} imports only from: ${importableByLayer.get(layer)?.join(', ') || 'nothing'}.`,
  }
}

function bannedGlobals(names: readonly string[]): { name: string; message: string }[] {
  return names.map((name) => ({ name, message: `${name} stands behind a door: see test/tidy/layers.ts.` }))
}

function bannedProperties(): { object: string; property: string; message: string }[] {
  return systemProperties.map((banned) => ({
    ...banned,
    message: 'It stands behind runtime/: see test/tidy/layers.ts.',
  }))
}

function layerOf(folder: string): Layer {
  return folder.split('/')[1] as Layer
}
