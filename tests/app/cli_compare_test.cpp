// mofo compare.
#include <filesystem>

#include "tests/app/cli_support.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using test::CliResult;
using testing::HasSubstr;

class CliCompare : public test::CliTest {
protected:
    std::string file(const char* name) { return (m_files / name).string(); }
    test::TemporaryFolder m_files;
};

TEST_F(CliCompare, WritesAReportOfRunsInEveryForm) {
    trainToEnd({"--name", "one"});
    trainToEnd({"--name", "two"});
    const CliResult done = cli({"compare", "one", "two", "--html", file("r.html"), "--csv", file("r.csv"), "--json-file", file("r.json")});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr("wrote " + file("r.html")));
    EXPECT_THAT(test::readFile(file("r.html")),
                testing::AllOf(HasSubstr("<!DOCTYPE html>"), HasSubstr("A one"), HasSubstr("B two"), HasSubstr("</html>")));
    EXPECT_THAT(test::readFile(file("r.csv")), testing::StartsWith("section,part,series,x,y,low,high,n,text"));
    const auto json = parseJson(test::readFile(file("r.json")));
    ASSERT_OK(json);
    EXPECT_EQ((*json)["results"]["runs"].size(), 2u);
}

TEST_F(CliCompare, PrintsTheResultsAlone) {
    trainToEnd({"--name", "one"});
    const Json results = cli({"compare", "one", "--json"}).json();
    EXPECT_EQ(results["runs"][0]["name"], "one");
    EXPECT_GE(results["verdict"].size(), 5u);
}

TEST_F(CliCompare, RefusesARequestThatNothingCanComeOf) {
    trainToEnd({"--name", "one"});
    EXPECT_EQ(cli({"compare", "one"}).exitCode, 2);
    EXPECT_EQ(cli({"compare", "one", "one", "--json"}).exitCode, 2);
    EXPECT_EQ(cli({"compare", "--html", file("r.html")}).exitCode, 2);
    const CliResult unknown = cli({"compare", "one", "nobody", "--html", file("r.html")});
    EXPECT_EQ(unknown.exitCode, 3);
    EXPECT_FALSE(std::filesystem::exists(file("r.html")));
}

TEST_F(CliCompare, SaysWhereItCannotWrite) {
    trainToEnd({"--name", "one"});
    const CliResult done = cli({"compare", "one", "--html", file("none/r.html")});
    EXPECT_EQ(done.exitCode, 3);
    EXPECT_THAT(done.err, testing::AllOf(HasSubstr("none"), HasSubstr("Make it first")));
    EXPECT_LE(done.errorLines(), 4);
}

}  // namespace
}  // namespace mofo
