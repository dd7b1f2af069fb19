/** What `vault init` and `vault rekey` need; a vault in a cloud is administered by its own tools. */
export const loadAdministration = {
  local: async () => {
    const [{ initLocalVault }, { rekey }] = await Promise.all([
      import('./local/init.ts'),
      import('./local/rekey.ts'),
    ])
    return { initLocalVault, rekey }
  },
} as const
