#include "elf_file.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace bk_test {

template <class T>
T ElfFile::at(size_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
        throw std::runtime_error("the ELF file ends too early");
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
}

ElfFile::ElfFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    const auto header = at<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
        throw std::runtime_error("not a 64-bit ELF file: " + path);
}

std::vector<std::string> ElfFile::exports() const {
    std::vector<std::string> names;
    const auto header = at<Elf64_Ehdr>(0);
    for (size_t i = 0; i < header.e_shnum; ++i) {
        const auto section = at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
        if (section.sh_type != SHT_DYNSYM) continue;
        const auto strings = at<Elf64_Shdr>(header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
        for (size_t s = 1; s < section.sh_size / sizeof(Elf64_Sym); ++s) {
            const auto symbol = at<Elf64_Sym>(section.sh_offset + s * sizeof(Elf64_Sym));
            if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL)
                continue;
            names.emplace_back(bytes_.data() + strings.sh_offset + symbol.st_name);
        }
    }
    return names;
}

std::vector<ElfNote> ElfFile::notes() const {
    std::vector<ElfNote> notes;
    const auto header = at<Elf64_Ehdr>(0);
    for (size_t i = 0; i < header.e_phnum; ++i) {
        const auto segment = at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
        if (segment.p_type != PT_NOTE) continue;
        const size_t align = segment.p_align == 8 ? 8 : 4;
        const auto padded = [align](size_t size) { return (size + align - 1) / align * align; };
        size_t offset = segment.p_offset;
        while (offset < segment.p_offset + segment.p_filesz) {
            const auto note = at<Elf64_Nhdr>(offset);
            const size_t name = offset + sizeof note;
            const size_t descriptor = name + padded(note.n_namesz);
            notes.push_back(
                {std::string(bytes_.data() + name, std::max<size_t>(note.n_namesz, 1) - 1),
                 note.n_type, bytes_.substr(descriptor, note.n_descsz)});
            offset = descriptor + padded(note.n_descsz);
        }
    }
    return notes;
}

bool ElfFile::has_section(const std::string& name) const {
    const auto header = at<Elf64_Ehdr>(0);
    const auto names = at<Elf64_Shdr>(header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr));
    for (size_t i = 0; i < header.e_shnum; ++i) {
        const auto section = at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
        if (name == bytes_.data() + names.sh_offset + section.sh_name) return true;
    }
    return false;
}

} // namespace bk_test
