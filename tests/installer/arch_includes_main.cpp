// The CTest test arch.includes: names every include that goes against the arrows, by file and line.
#include <cstdio>

#include "tests/installer/arch_includes.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: arch_includes PROJECT_ROOT\n");
        return 2;
    }
    const mofo::test::IncludeReport report = mofo::test::checkIncludes(argv[1]);
    for (const auto& finding : report.findings) std::printf("%s: %s\n", finding.place.c_str(), finding.reason.c_str());
    std::printf("%zu files, %zu includes, %zu against the arrows\n", report.files, report.includes, report.findings.size());
    // A root without sources is a mistake of whoever called, never a pass.
    return report.findings.empty() && report.files > 0 ? 0 : 1;
}
