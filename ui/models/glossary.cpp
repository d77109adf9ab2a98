#include "ui/models/glossary.h"

#include <QCoreApplication>

namespace mofo::ui {

namespace {

class Glossary {
    Q_DECLARE_TR_FUNCTIONS(Glossary)
};

}  // namespace

std::vector<GlossaryEntry> glossary() {
    const QString paper = Glossary::tr("MoFO paper (arXiv 2407.20999), Algorithm 1");
    return {
        {QStringLiteral("mofo"), Glossary::tr("MoFO"),
         Glossary::tr("Momentum-filtered optimizer: AdamW that, at every step and within each partition, moves only the coordinates whose first "
                      "moment is largest in "
                      "magnitude. Both moments of all coordinates go on being updated; only the step is filtered."),
         paper},
        {QStringLiteral("alpha"), Glossary::tr("α (alpha)"),
         Glossary::tr(
             "The share of a partition's coordinates that one step moves. 5 to 20 % is advised; 100 % is AdamW. It is not the learning rate."),
         paper},
        {QStringLiteral("partition"), Glossary::tr("Partition"),
         Glossary::tr("The set of coordinates within which the largest are chosen. In the paper it is one tensor; here also the whole model, a "
                      "layer, a module, a head, a "
                      "row, a block of N, or S shards."),
         Glossary::tr("MoFO paper, section 3; granularities beyond the tensor are this program's")},
        {QStringLiteral("threshold"), Glossary::tr("Threshold"),
         Glossary::tr(
             "The smallest |m| that is still moved in a partition: the k-th largest, with k = α times its size. Ties at the threshold are all kept."),
         paper},
        {QStringLiteral("mask"), Glossary::tr("Mask and moved share"),
         Glossary::tr("The mask is what the filter lets through; the moved share is the part of it whose momentum is not zero, so that it really "
                      "moves. Rows that were "
                      "never touched, such as unused words of the embedding, are masked but do not move: idle rows."),
         paper},
        {QStringLiteral("churn"), Glossary::tr("Churn"),
         Glossary::tr(
             "How much of the mask is new since the last measured step: 1 minus the overlap. Low churn means that the same coordinates keep moving."),
         Glossary::tr("this program's measure")},
        {QStringLiteral("coverage"), Glossary::tr("Coverage"),
         Glossary::tr("The share of coordinates that were in the mask at any measured step so far."), Glossary::tr("this program's measure")},
        {QStringLiteral("drift"), Glossary::tr("Drift"),
         Glossary::tr("Distance from the pretrained weights: the L2 norm of p − p0 over the L2 norm of p0, of the whole model, a layer or a tensor. "
                      "The paper's finding is "
                      "that less distance goes with less forgetting."),
         Glossary::tr("MoFO paper, section 4")},
        {QStringLiteral("forgetting"), Glossary::tr("Forgetting"),
         Glossary::tr("What the tuned model does worse than the pretrained one on what it was not tuned for. It is measured by probes with "
                      "intervals, never guessed from "
                      "the loss."),
         Glossary::tr("MoFO paper, sections 1 and 5")},
        {QStringLiteral("probe"), Glossary::tr("Probe"),
         Glossary::tr("A fixed set of items the model is scored on before, during and after a run. `task` probes show what is learned, `general` "
                      "ones what is kept."),
         Glossary::tr("this program's measure")},
        {QStringLiteral("checkpoint"), Glossary::tr("Checkpoint"),
         Glossary::tr("Weights, both moments, random state and position in the data after a step: enough to go on bit for bit."),
         Glossary::tr("this program")},
        {QStringLiteral("micro_batch"), Glossary::tr("Micro-batch"),
         Glossary::tr("Rows that go through the model at once. The step is the same for any micro-batch, as long as the loss is the mean over the "
                      "tokens of the whole step; "
                      "smaller ones need less memory."),
         Glossary::tr("this program; loss_mean=micro_batch is the paper's own mean")},
    };
}

}  // namespace mofo::ui
