// What the tests must know of a plugin's file: its exported symbols and its notes. Reads 64-bit ELF
// of this machine.
#pragma once

#include <string>
#include <vector>

namespace bk_test {

struct ElfNote {
    std::string name;
    unsigned type;
    std::string descriptor;
};

class ElfFile {
public:
    /// Throws std::runtime_error when it is not such a file.
    explicit ElfFile(const std::string& path);

    /// Names of the dynamic symbols that are defined and visible.
    [[nodiscard]] std::vector<std::string> exports() const;
    /// Every note of the PT_NOTE segments.
    [[nodiscard]] std::vector<ElfNote> notes() const;
    /// Whether there is a section of this name: ".symtab" is gone from a stripped file.
    [[nodiscard]] bool has_section(const std::string& name) const;

private:
    template <class T>
    [[nodiscard]] T at(size_t offset) const;
    std::string bytes_;
};

} // namespace bk_test
