/* Linked into static musl programs. musl's start-up code relocates a position-independent program but leaves the relocated data writable (as
   of 1.2.5). The loader of dynamic programs makes it read-only. This function does the same before `main`. */
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

/* Defined by the linker: the address of the program's ELF header in memory. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void protect_relocated_part(void)
{
	const char *base = (const char *)&__ehdr_start;
	const ElfW(Phdr) *segment = (const void *)(base + __ehdr_start.e_phoff);
	for (int left = __ehdr_start.e_phnum; left; left--, segment++)
		if (segment->p_type == PT_GNU_RELRO) {
			ElfW(Addr) page = (ElfW(Addr))sysconf(_SC_PAGESIZE);
			ElfW(Addr) start = (ElfW(Addr))(base + segment->p_vaddr) & -page;
			ElfW(Addr) end = (ElfW(Addr))(base + segment->p_vaddr + segment->p_memsz) & -page;
			if (mprotect((void *)start, end - start, PROT_READ))
				_exit(127);
		}
}
