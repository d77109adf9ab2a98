<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>ComparedSeries</name>
    <message>
        <source>Training loss</source>
        <translation>学習の損失</translation>
    </message>
    <message>
        <source>nats/token</source>
        <translation>nat/トークン</translation>
    </message>
    <message>
        <source>Held-out loss</source>
        <translation>検証損失</translation>
    </message>
    <message>
        <source>Drift of the whole model</source>
        <translation>モデル全体のドリフト</translation>
    </message>
    <message>
        <source>relative L2</source>
        <translation>相対 L2</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Moved share of all parameters</source>
        <translation>全パラメーターのうち動いた割合</translation>
    </message>
    <message>
        <source>Churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation>カバレッジ</translation>
    </message>
    <message>
        <source>Threshold, median of the tensors</source>
        <translation>しきい値（テンソルの中央値）</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>per step</source>
        <translation>ステップごと</translation>
    </message>
    <message>
        <source>Gradient norm before clipping</source>
        <translation>クリッピング前の勾配ノルム</translation>
    </message>
    <message>
        <source>Gradient norm after clipping</source>
        <translation>クリッピング後の勾配ノルム</translation>
    </message>
    <message>
        <source>L1 norm of the gradient&apos;s top alpha</source>
        <translation>勾配の上位 α の L1 ノルム</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>trained tokens/s</source>
        <translation>学習トークン/秒</translation>
    </message>
    <message>
        <source>Time of a step</source>
        <translation>1 ステップの時間</translation>
    </message>
    <message>
        <source>Time for data</source>
        <translation>データの時間</translation>
    </message>
    <message>
        <source>Time for forward and backward</source>
        <translation>順伝播と逆伝播の時間</translation>
    </message>
    <message>
        <source>Time for the optimizer</source>
        <translation>オプティマイザーの時間</translation>
    </message>
    <message>
        <source>Time for statistics</source>
        <translation>統計の時間</translation>
    </message>
    <message>
        <source>Memory of the engine</source>
        <translation>エンジンのメモリ</translation>
    </message>
    <message>
        <source>Load of the processor</source>
        <translation>プロセッサーの負荷</translation>
    </message>
    <message>
        <source>Load of the device</source>
        <translation>デバイスの負荷</translation>
    </message>
    <message>
        <source>Memory of the device</source>
        <translation>デバイスのメモリ</translation>
    </message>
    <message>
        <source>Temperature of the device</source>
        <translation>デバイスの温度</translation>
    </message>
    <message>
        <source>Power of the device</source>
        <translation>デバイスの電力</translation>
    </message>
    <message>
        <source>Drift of kind %1</source>
        <translation>種類 %1 のドリフト</translation>
    </message>
    <message>
        <source>Probe %1</source>
        <translation>プローブ %1</translation>
    </message>
</context>
<context>
    <name>Display</name>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 B</source>
        <comment>10^9</comment>
        <translation>%1 B</translation>
    </message>
    <message>
        <source>%1 M</source>
        <comment>10^6</comment>
        <translation>%1 M</translation>
    </message>
    <message>
        <source>%1 k</source>
        <comment>10^3</comment>
        <translation>%1 k</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 時間 %2 分</translation>
    </message>
    <message>
        <source>yesterday %1</source>
        <translation>昨日 %1</translation>
    </message>
    <message>
        <source>draft</source>
        <comment>run state</comment>
        <translation>下書き</translation>
    </message>
    <message>
        <source>queued</source>
        <comment>run state</comment>
        <translation>待機中</translation>
    </message>
    <message>
        <source>starting</source>
        <comment>run state</comment>
        <translation>開始中</translation>
    </message>
    <message>
        <source>running</source>
        <comment>run state</comment>
        <translation>実行中</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>run state</comment>
        <translation>一時停止中</translation>
    </message>
    <message>
        <source>stopping</source>
        <comment>run state</comment>
        <translation>停止処理中</translation>
    </message>
    <message>
        <source>finished</source>
        <comment>run state</comment>
        <translation>完了</translation>
    </message>
    <message>
        <source>stopped</source>
        <comment>run state</comment>
        <translation>停止</translation>
    </message>
    <message>
        <source>failed</source>
        <comment>run state</comment>
        <translation>失敗</translation>
    </message>
    <message>
        <source>lost</source>
        <comment>run state</comment>
        <translation>途絶</translation>
    </message>
    <message>
        <source>load weights</source>
        <comment>phase</comment>
        <translation>重みの読み込み</translation>
    </message>
    <message>
        <source>scan data</source>
        <comment>phase</comment>
        <translation>データの走査</translation>
    </message>
    <message>
        <source>train</source>
        <comment>phase</comment>
        <translation>学習</translation>
    </message>
    <message>
        <source>evaluate</source>
        <comment>phase</comment>
        <translation>評価</translation>
    </message>
    <message>
        <source>save</source>
        <comment>phase</comment>
        <translation>保存</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>phase</comment>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>end</source>
        <comment>phase</comment>
        <translation>終了</translation>
    </message>
    <message>
        <source>tensor (paper)</source>
        <comment>granularity</comment>
        <translation>テンソル（論文）</translation>
    </message>
    <message>
        <source>layer</source>
        <comment>granularity</comment>
        <translation>層</translation>
    </message>
    <message>
        <source>model</source>
        <comment>granularity</comment>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>module</source>
        <comment>granularity</comment>
        <translation>モジュール</translation>
    </message>
    <message>
        <source>head</source>
        <comment>granularity</comment>
        <translation>ヘッド</translation>
    </message>
    <message>
        <source>row</source>
        <comment>granularity</comment>
        <translation>行</translation>
    </message>
    <message>
        <source>window</source>
        <comment>who acted</comment>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>command line</source>
        <comment>who acted</comment>
        <translation>コマンドライン</translation>
    </message>
    <message>
        <source>engine</source>
        <comment>who acted</comment>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>guard rail</source>
        <comment>who acted</comment>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>attention: query</source>
        <translation>アテンション: クエリ</translation>
    </message>
    <message>
        <source>attention: key</source>
        <translation>アテンション: キー</translation>
    </message>
    <message>
        <source>attention: value</source>
        <translation>アテンション: バリュー</translation>
    </message>
    <message>
        <source>attention: output</source>
        <translation>アテンション: 出力</translation>
    </message>
    <message>
        <source>MLP: gate</source>
        <translation>MLP: ゲート</translation>
    </message>
    <message>
        <source>MLP: up</source>
        <translation>MLP: アップ</translation>
    </message>
    <message>
        <source>MLP: down</source>
        <translation>MLP: ダウン</translation>
    </message>
    <message>
        <source>normalisation</source>
        <translation>正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
</context>
<context>
    <name>Glossary</name>
    <message>
        <source>MoFO paper (arXiv 2407.20999), Algorithm 1</source>
        <translation>MoFO 論文（arXiv 2407.20999）アルゴリズム 1</translation>
    </message>
    <message>
        <source>MoFO</source>
        <translation>MoFO</translation>
    </message>
    <message>
        <source>Momentum-filtered optimizer: AdamW that, at every step and within each partition, moves only the coordinates whose first moment is largest in magnitude. Both moments of all coordinates go on being updated; only the step is filtered.</source>
        <translation>モーメンタムで選別するオプティマイザ。各ステップで、各パーティションの中から 1 次モーメントの絶対値が最大の座標だけを動かす AdamW です。両モーメントは全座標で更新され続け、選別されるのは更新だけです。</translation>
    </message>
    <message>
        <source>α (alpha)</source>
        <translation>α（アルファ）</translation>
    </message>
    <message>
        <source>The share of a partition&apos;s coordinates that one step moves. 5 to 20 % is advised; 100 % is AdamW. It is not the learning rate.</source>
        <translation>1 ステップで動かす、パーティション内の座標の割合。5〜20 % を推奨、100 % は AdamW です。学習率ではありません。</translation>
    </message>
    <message>
        <source>Partition</source>
        <translation>パーティション</translation>
    </message>
    <message>
        <source>The set of coordinates within which the largest are chosen. In the paper it is one tensor; here also the whole model, a layer, a module, a head, a row, a block of N, or S shards.</source>
        <translation>最大の座標を選ぶ範囲です。論文ではテンソル 1 つ。ここではモデル全体、層、モジュール、ヘッド、行、N 個のブロック、S 個のシャードも選べます。</translation>
    </message>
    <message>
        <source>MoFO paper, section 3; granularities beyond the tensor are this program&apos;s</source>
        <translation>MoFO 論文 3 節。テンソル以外の粒度はこのプログラム独自</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>The smallest |m| that is still moved in a partition: the k-th largest, with k = α times its size. Ties at the threshold are all kept.</source>
        <translation>パーティション内で動く最小の |m|。k = α×要素数 として k 番目に大きい値です。同値はすべて残します。</translation>
    </message>
    <message>
        <source>Mask and moved share</source>
        <translation>マスクと移動率</translation>
    </message>
    <message>
        <source>The mask is what the filter lets through; the moved share is the part of it whose momentum is not zero, so that it really moves. Rows that were never touched, such as unused words of the embedding, are masked but do not move: idle rows.</source>
        <translation>マスクは選別を通った座標、移動率はそのうちモーメンタムが 0 でなく実際に動いた割合です。使われない語の埋め込みのように一度も触れられていない行は、マスクに入っても動きません（遊休行）。</translation>
    </message>
    <message>
        <source>Churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>How much of the mask is new since the last measured step: 1 minus the overlap. Low churn means that the same coordinates keep moving.</source>
        <translation>前回の測定ステップからマスクがどれだけ入れ替わったか（1 − 重なり）。低いほど同じ座標が動き続けています。</translation>
    </message>
    <message>
        <source>this program&apos;s measure</source>
        <translation>このプログラム独自の指標</translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation>カバレッジ</translation>
    </message>
    <message>
        <source>The share of coordinates that were in the mask at any measured step so far.</source>
        <translation>これまでの測定ステップで一度でもマスクに入った座標の割合。</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Distance from the pretrained weights: the L2 norm of p − p0 over the L2 norm of p0, of the whole model, a layer or a tensor. The paper&apos;s finding is that less distance goes with less forgetting.</source>
        <translation>事前学習済み重みからの距離。p − p0 の L2 ノルムを p0 の L2 ノルムで割った値で、モデル全体・層・テンソルごとに測ります。距離が小さいほど忘却も少ない、というのが論文の知見です。</translation>
    </message>
    <message>
        <source>MoFO paper, section 4</source>
        <translation>MoFO 論文 4 節</translation>
    </message>
    <message>
        <source>Forgetting</source>
        <translation>忘却</translation>
    </message>
    <message>
        <source>What the tuned model does worse than the pretrained one on what it was not tuned for. It is measured by probes with intervals, never guessed from the loss.</source>
        <translation>チューニング対象でないことについて、チューニング後のモデルが事前学習済みモデルより悪くなること。損失から推測せず、区間つきのプローブで測ります。</translation>
    </message>
    <message>
        <source>MoFO paper, sections 1 and 5</source>
        <translation>MoFO 論文 1 節・5 節</translation>
    </message>
    <message>
        <source>Probe</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>A fixed set of items the model is scored on before, during and after a run. `task` probes show what is learned, `general` ones what is kept.</source>
        <translation>実行の前・途中・後にモデルを採点する固定の問題集。`task` は学んだこと、`general` は保たれたことを示します。</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Weights, both moments, random state and position in the data after a step: enough to go on bit for bit.</source>
        <translation>あるステップ後の重み、両モーメント、乱数の状態、データ内の位置。ビット単位で同じに再開できます。</translation>
    </message>
    <message>
        <source>this program</source>
        <translation>このプログラム</translation>
    </message>
    <message>
        <source>Micro-batch</source>
        <translation>マイクロバッチ</translation>
    </message>
    <message>
        <source>Rows that go through the model at once. The step is the same for any micro-batch, as long as the loss is the mean over the tokens of the whole step; smaller ones need less memory.</source>
        <translation>一度にモデルに通す行数。損失がステップ全体のトークン平均である限り、どのマイクロバッチでもステップは同じで、小さいほどメモリが減ります。</translation>
    </message>
    <message>
        <source>this program; loss_mean=micro_batch is the paper&apos;s own mean</source>
        <translation>このプログラム。loss_mean=micro_batch が論文の平均</translation>
    </message>
</context>
<context>
    <name>HubText</name>
    <message>
        <source>no licence named</source>
        <translation>ライセンスの記載なし</translation>
    </message>
    <message>
        <source>licence %1</source>
        <translation>ライセンス %1</translation>
    </message>
    <message>
        <source>gated</source>
        <translation>利用条件への同意が必要</translation>
    </message>
    <message>
        <source>1 file</source>
        <translation>1 ファイル</translation>
    </message>
    <message>
        <source>%1 files</source>
        <translation>%1 ファイル</translation>
    </message>
    <message>
        <source>commit %1</source>
        <translation>コミット %1</translation>
    </message>
    <message>
        <source>On this machine, in %1</source>
        <translation>このマシンの %1 にあります</translation>
    </message>
    <message>
        <source>%1 to download</source>
        <translation>ダウンロード %1</translation>
    </message>
    <message>
        <source>%1 to copy from your Hugging Face cache</source>
        <translation>Hugging Face キャッシュからコピー %1</translation>
    </message>
    <message>
        <source>%1 here already</source>
        <translation>取得済み %1</translation>
    </message>
    <message>
        <source>%1 free</source>
        <translation>空き %1</translation>
    </message>
    <message>
        <source>into %1</source>
        <translation>保存先 %1</translation>
    </message>
    <message>
        <source>asking the Hub</source>
        <translation>Hub に問い合わせ中</translation>
    </message>
    <message>
        <source>waiting for another download of the same</source>
        <translation>同じファイルの別のダウンロードを待っています</translation>
    </message>
    <message>
        <source>checking %1</source>
        <translation>%1 を確認中</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%2 中 %1</translation>
    </message>
    <message>
        <source>%1/s</source>
        <translation>%1/秒</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>残り %1</translation>
    </message>
</context>
<context>
    <name>KeyHelp</name>
    <message>
        <source>What is tuned: a GGUF file, a Hugging Face folder, a model of the workspace, or random:smollm2</source>
        <translation>チューニング対象：GGUF ファイル、Hugging Face フォルダ、ワークスペースのモデル、または random:smollm2</translation>
    </message>
    <message>
        <source>Name of the chat template, such as chatml or llama3; empty: recognised from the model, never executed</source>
        <translation>チャットテンプレート名（chatml、llama3 など）。空：モデルから認識。実行はしません</translation>
    </message>
    <message>
        <source>Training rows: JSONL, JSON array, CSV or TSV; chats, question and answer pairs, or texts</source>
        <translation>学習する行：JSONL、JSON 配列、CSV、TSV。チャット、質問と回答の組、またはテキスト</translation>
    </message>
    <message>
        <source>Which columns to train on where their names say nothing: prompt:A,completion:B or text:A</source>
        <translation>列名で判断できないときに学習する列：prompt:A,completion:B または text:A</translation>
    </message>
    <message>
        <source>Rows for the held-out loss; never trained on</source>
        <translation>評価損失用の行。学習には使いません</translation>
    </message>
    <message>
        <source>Share of the data, its last rows, held out for evaluation; 0 with eval_every and without eval_data: 0.05</source>
        <translation>評価用に残すデータの割合（末尾の行）。eval_every があり eval_data がなければ 0 は 0.05 とみなします</translation>
    </message>
    <message>
        <source>Held-out loss after every so many steps; 0: only before the first and after the last</source>
        <translation>この歩数ごとに評価損失を測定。0：最初の前と最後の後だけ</translation>
    </message>
    <message>
        <source>Longer rows are cut at the end and counted (MoFO paper: 1024)</source>
        <translation>これより長い行は末尾を切り、数えます（MoFO 論文：1024）</translation>
    </message>
    <message>
        <source>Order of the rows drawn anew each epoch from seed and epoch alone; false: file order</source>
        <translation>行の順序を、シードとエポックだけからエポックごとに引き直します。オフ：ファイル順</translation>
    </message>
    <message>
        <source>Decides the order of the rows and every random choice; equal seeds give equal runs</source>
        <translation>行の順序とすべての乱数を決めます。同じシードなら同じ実行になります</translation>
    </message>
    <message>
        <source>What ranks a partition&apos;s coordinates: momentum |m| (MoFO), gradient |g|, mv |m/h|, random (MoFO paper, its ablation of rules)</source>
        <translation>座標の順位づけ：momentum |m|（MoFO）、gradient |g|、mv |m/h|、random（MoFO 論文の規則比較）</translation>
    </message>
    <message>
        <source>Share of each partition&apos;s coordinates that a step moves; 5 to 20 % is advised, 1 is AdamW (MoFO paper, Algorithm 1)</source>
        <translation>1 ステップで動かす、各パーティションの座標の割合。5〜20 % を推奨、1 は AdamW（MoFO 論文アルゴリズム 1）</translation>
    </message>
    <message>
        <source>alpha of the attention parameters alone; empty: as alpha</source>
        <translation>アテンションのパラメータだけの alpha。空：alpha と同じ</translation>
    </message>
    <message>
        <source>alpha of the mlp parameters alone; empty: as alpha</source>
        <translation>MLP のパラメータだけの alpha。空：alpha と同じ</translation>
    </message>
    <message>
        <source>alpha of the embedding parameters alone; empty: as alpha</source>
        <translation>埋め込みのパラメータだけの alpha。空：alpha と同じ</translation>
    </message>
    <message>
        <source>alpha of the head (output layer) parameters alone; empty: as alpha</source>
        <translation>出力ヘッドのパラメータだけの alpha。空：alpha と同じ</translation>
    </message>
    <message>
        <source>What a partition is: model, layer, module, tensor (the paper&apos;s), head, row, block:N or shards:S</source>
        <translation>パーティションの単位：model、layer、module、tensor（論文）、head、row、block:N、shards:S</translation>
    </message>
    <message>
        <source>Steps after which hft draws its half anew (arXiv 2404.18466: each round); 0: after one pass over the rows</source>
        <translation>hft が半分を引き直すステップ数（arXiv 2404.18466：ラウンドごと）。0：行を一巡したら</translation>
    </message>
    <message>
        <source>Pull to the pretrained weights p0 by sign: p -= lr l1 sign(p - p0), norms exempt (baseline of the MoFO paper); 0: off</source>
        <translation>事前学習済み重み p0 への符号による引き戻し：p -= lr l1 sign(p - p0)、正規化は除外（MoFO 論文の比較手法）。0：なし</translation>
    </message>
    <message>
        <source>Pull to the pretrained weights p0 by distance: p -= lr l2 (p - p0), norms exempt (baseline of the MoFO paper); 0: off</source>
        <translation>事前学習済み重み p0 への距離による引き戻し：p -= lr l2 (p - p0)、正規化は除外（MoFO 論文の比較手法）。0：なし</translation>
    </message>
    <message>
        <source>Parameters that are filtered, as name patterns (* any characters, comma between patterns); empty: all but norms and biases (MoFO paper)</source>
        <translation>選別するパラメータの名前パターン（* は任意の文字、区切りはコンマ）。空：正規化とバイアス以外すべて（MoFO 論文）</translation>
    </message>
    <message>
        <source>Parameters that are not filtered, as name patterns: they take the whole AdamW step</source>
        <translation>選別しないパラメータの名前パターン。AdamW のステップをそのまま受けます</translation>
    </message>
    <message>
        <source>Decoupled weight decay of everything but norms (AdamW, arXiv 1711.05101)</source>
        <translation>正規化以外への分離型の重み減衰（AdamW、arXiv 1711.05101）</translation>
    </message>
    <message>
        <source>Which coordinates weight decay reaches: all (MoFO paper) or only those the step moves</source>
        <translation>重み減衰の対象：all（MoFO 論文）、または動いた座標だけ</translation>
    </message>
    <message>
        <source>Decay of the first moment (Adam, arXiv 1412.6980)</source>
        <translation>1 次モーメントの減衰（Adam、arXiv 1412.6980）</translation>
    </message>
    <message>
        <source>Decay of the second moment (Adam, arXiv 1412.6980)</source>
        <translation>2 次モーメントの減衰（Adam、arXiv 1412.6980）</translation>
    </message>
    <message>
        <source>Added to the root of the second moment (Adam, arXiv 1412.6980)</source>
        <translation>2 次モーメントの平方根に加える値（Adam、arXiv 1412.6980）</translation>
    </message>
    <message>
        <source>Mean of the loss over all trained tokens of the step, per row, or per micro-batch as the MoFO authors&apos; code does</source>
        <translation>損失の平均：ステップの全学習トークン、行ごと、または MoFO 著者のコードと同じマイクロバッチごと</translation>
    </message>
    <message>
        <source>Peak learning rate (MoFO paper: 2e-5 on MetaMathQA, 1e-5 on PMC-LLaMA)</source>
        <translation>学習率の最大値（MoFO 論文：MetaMathQA で 2e-5、PMC-LLaMA で 1e-5）</translation>
    </message>
    <message>
        <source>How lr falls after the warm-up, as Transformers defines it</source>
        <translation>ウォームアップ後の学習率の下げ方（Transformers の定義）</translation>
    </message>
    <message>
        <source>Linear rise of lr at the start: steps from 1 on, a share of the run below 1</source>
        <translation>開始時の学習率の線形上昇：1 以上はステップ数、1 未満は実行に対する割合</translation>
    </message>
    <message>
        <source>Length of the run in optimizer steps; 0: from epochs</source>
        <translation>実行の長さ（オプティマイザのステップ数）。0：エポック数から</translation>
    </message>
    <message>
        <source>Passes over the rows where steps is 0: ceil(rows x epochs / batch) steps</source>
        <translation>steps が 0 のときに行を巡る回数：ceil(行数×エポック数÷バッチ) ステップ</translation>
    </message>
    <message>
        <source>Rows per optimizer step (MoFO paper: 128)</source>
        <translation>1 ステップあたりの行数（MoFO 論文：128）</translation>
    </message>
    <message>
        <source>Rows per forward pass: less memory, the same step; 0: the whole batch</source>
        <translation>一度に順伝播する行数。メモリが減り、ステップは同じ。0：バッチ全体</translation>
    </message>
    <message>
        <source>Largest L2 norm of the whole gradient; 0: off (MoFO paper: 1.0)</source>
        <translation>勾配全体の L2 ノルムの上限。0：なし（MoFO 論文：1.0）</translation>
    </message>
    <message>
        <source>At a NaN or infinite loss or gradient: stop before the update, or leave the update out (ten in a row stop the run)</source>
        <translation>損失や勾配が NaN や無限大のとき：更新前に停止、または更新を飛ばす（10 回続けば停止）</translation>
    </message>
    <message>
        <source>Steps whose update is left out, such as 812,900: a batch that breaks the run; empty: none</source>
        <translation>更新を飛ばすステップ（例 812,900：実行を壊すバッチ）。空：なし</translation>
    </message>
    <message>
        <source>What guards do: notify; pause; lower_alpha: halve it; back: return to the best checkpoint, then halve alpha, or leave out the step that spiked</source>
        <translation>ガードの動作：notify、pause、lower_alpha（半分にする）、back（最良のチェックポイントに戻り、alpha を半分にするか跳ねたステップを飛ばす）</translation>
    </message>
    <message>
        <source>Limit of a step&apos;s loss above the median of the last 50, in robust deviations (1.4826 MAD, at least 2 % of the median); from 20 losses on</source>
        <translation>直近 50 の中央値からのステップ損失の上限（ロバスト偏差 1.4826 MAD、中央値の 2 % 以上）。損失 20 個から有効</translation>
    </message>
    <message>
        <source>What guard_spike does; default: as guard_action</source>
        <translation>guard_spike の動作。default：guard_action と同じ</translation>
    </message>
    <message>
        <source>Limit of the distance from the pretrained weights (L2 over theirs, whole model), looked at where statistics are measured; 0: off</source>
        <translation>事前学習済み重みからの距離の上限（モデル全体の相対 L2）。統計の測定時に確認。0：なし</translation>
    </message>
    <message>
        <source>What guard_drift does; default: as guard_action</source>
        <translation>guard_drift の動作。default：guard_action と同じ</translation>
    </message>
    <message>
        <source>Limit of the held-out loss above the lowest so far, in nats per token, looked at every eval_every steps; 0: off</source>
        <translation>これまでの最小値からの評価損失の上昇の上限（nat/トークン）。eval_every ごとに確認。0：なし</translation>
    </message>
    <message>
        <source>What guard_eval does; default: as guard_action</source>
        <translation>guard_eval の動作。default：guard_action と同じ</translation>
    </message>
    <message>
        <source>Limit of the held-out loss above that of the start, as a share of it (0.05: 5 % more), looked at every eval_every steps; 0: off</source>
        <translation>開始時からの評価損失の上昇の上限（割合、0.05：5 % 増）。eval_every ごとに確認。0：なし</translation>
    </message>
    <message>
        <source>What guard_eval_start does; default: as guard_action</source>
        <translation>guard_eval_start の動作。default：guard_action と同じ</translation>
    </message>
    <message>
        <source>Stop after so many evaluations in a row without a lower held-out loss; the best checkpoint stays (RUN@best); 0: off</source>
        <translation>評価損失がこの回数続けて下がらなければ停止。最良のチェックポイントは残ります（RUN@best）。0：なし</translation>
    </message>
    <message>
        <source>fp32: all arithmetic (TF32 is off); bf32: matrix products of fp32 numbers rounded to bf16; bf16: activations and those products in bf16, weights, norms, softmax, loss, gradients and moments in fp32</source>
        <translation>fp32：すべての演算（TF32 は使いません）。bf32：fp32 の数を bf16 に丸めた行列積。bf16：活性値とその行列積が bf16、重み・正規化・softmax・損失・勾配・モーメントは fp32</translation>
    </message>
    <message>
        <source>layer: keeps each layer&apos;s input alone and computes its activations again on the way back: less memory, more time, the same bits</source>
        <translation>layer：各層の入力だけを保持し、逆伝播で活性値を計算し直します。メモリは減り、時間は増え、結果はビット単位で同じです</translation>
    </message>
    <message>
        <source>Out of memory, a step is tried again with half as many rows per forward pass, and so are those after it: the same batch, smaller pieces; false: the run ends with what it needed</source>
        <translation>メモリ不足のとき、一度に順伝播する行数を半分にしてそのステップをやり直し、以後もそのままにします。バッチは同じで、分け方だけが細かくなります。false：必要だった量を示して終了</translation>
    </message>
    <message>
        <source>Batches of rows of like length: of 32 batches at a time the rows are sorted by length, and these batches are taken in an order drawn from the seed</source>
        <translation>長さの近い行でバッチを作ります。32 バッチ分ずつ行を長さ順に並べ、そのバッチをシードで決まる順に使います</translation>
    </message>
    <message>
        <source>auto: the GPU where one can be used, else the CPU, and why is said; cuda refuses instead</source>
        <translation>auto：使える GPU があれば GPU、なければ理由を示して CPU。cuda は代わりに拒否します</translation>
    </message>
    <message>
        <source>optimizer: m and v stay in host memory and the CPU does the step, for models that fill the GPU (ZeRO-Offload, arXiv 2101.06840)</source>
        <translation>optimizer：m と v をホストメモリに置き CPU で更新します。GPU に収まりにくいモデル向け（ZeRO-Offload、arXiv 2101.06840）</translation>
    </message>
    <message>
        <source>Checkpoint after every so many steps; 0: only the last step&apos;s</source>
        <translation>この歩数ごとにチェックポイント。0：最後のステップだけ</translation>
    </message>
    <message>
        <source>Checkpoint when the last one is this old; 0: off</source>
        <translation>前回からこの時間が経ったらチェックポイント。0：なし</translation>
    </message>
    <message>
        <source>Newest checkpoints to keep; pinned ones and the best stay beside them</source>
        <translation>残す最新のチェックポイント数。固定したものと最良のものは別に残ります</translation>
    </message>
    <message>
        <source>Selection and drift of every tensor, measured at step 1, at this cadence, and at the last step</source>
        <translation>全テンソルの選択とドリフトを、ステップ 1、この間隔、最後のステップで測定</translation>
    </message>
    <message>
        <source>Parameters whose selected coordinates are counted row by row at logged steps, as name patterns (filter_include&apos;s); empty: none</source>
        <translation>記録ステップで選択数を行ごとに数えるパラメータの名前パターン（filter_include と同じ書式）。空：なし</translation>
    </message>
    <message>
        <source>Which coordinates were ever selected at logged steps (mofo.md, &quot;What is shown&quot;): one bit of memory a parameter</source>
        <translation>記録ステップで一度でも選ばれた座標（mofo.md「What is shown」）。パラメータあたり 1 ビットのメモリ</translation>
    </message>
    <message>
        <source>What is measured before the first step and while the run is on, NAME or FILE, each with :LIMIT or without (`mofo tasks`); empty: nothing</source>
        <translation>最初のステップの前と実行中に測るもの。NAME または FILE、それぞれ :LIMIT を付けられる(`mofo tasks`)。空: なし</translation>
    </message>
    <message>
        <source>Probes after every so many steps, and always before the first and after the last; 0: by probe_minutes alone</source>
        <translation>このステップ数ごとにプローブ。最初の前と最後の後には必ず測る。0: probe_minutes のみ</translation>
    </message>
    <message>
        <source>Probes when the last ones are this old; 0: off</source>
        <translation>前回のプローブからこの時間がたったら測る。0: 無効</translation>
    </message>
    <message>
        <source>What probes on the way may take: they come less often where they would take more; 1: as often as asked</source>
        <translation>途中のプローブに使ってよい時間の割合。超えそうなら間隔を広げる。1: 指定どおり</translation>
    </message>
    <message>
        <source>Limit of the accuracy that a probe marked general loses against the start, in points: passed by its whole paired 95 % interval; 0: off</source>
        <translation>general のプローブが開始時より失う正解率の上限(ポイント)。対応のある95 %区間全体が超えたときに作動。0: 無効</translation>
    </message>
    <message>
        <source>What guard_forget does; default: as guard_action</source>
        <translation>guard_forget の動作。default: guard_action と同じ</translation>
    </message>
    <message>
        <source>Limit of the rise of a general probe&apos;s loss or KL over the start, in nats per token: passed by its whole paired 95 % interval; 0: off</source>
        <translation>general のプローブの損失または KL が開始時から上昇する上限(トークンあたり nats)。対応のある95 %区間全体が超えたときに作動。0: 無効</translation>
    </message>
    <message>
        <source>What guard_forget_nats does; default: as guard_action</source>
        <translation>guard_forget_nats の動作。default: guard_action と同じ</translation>
    </message>
    <message>
        <source>mofo: momentum-filtered AdamW (arXiv 2407.20999); adamw: all moves; hft: half of each layer&apos;s tensors (arXiv 2404.18466); fixed_mask: a random share alpha, drawn once; lora: small matrices beside frozen weights (arXiv 2106.09685); lora_mofo: MoFO on those</source>
        <translation>mofo：モーメンタムで選ぶ AdamW（arXiv 2407.20999）、adamw：すべて動く、hft：各層のテンソルの半分（arXiv 2404.18466）、fixed_mask：一度だけ引いた無作為な割合 alpha、lora：凍結した重みに添えた小さな行列（arXiv 2106.09685）、lora_mofo：その行列に MoFO</translation>
    </message>
    <message>
        <source>Rank of LoRA&apos;s matrices A and B beside q, k, v, o, gate, up and down</source>
        <translation>q、k、v、o、gate、up、down に添える LoRA の行列 A と B のランク</translation>
    </message>
    <message>
        <source>LoRA&apos;s product B A is scaled by lora_alpha / lora_rank (arXiv 2106.09685)</source>
        <translation>LoRA の積 B A に lora_alpha / lora_rank を掛けます（arXiv 2106.09685）</translation>
    </message>
    <message>
        <source>Share of the inputs of LoRA&apos;s A that a training step leaves out</source>
        <translation>学習のステップが LoRA の A の入力から落とす割合</translation>
    </message>
</context>
<context>
    <name>KeyLabel</name>
    <message>
        <source>Recompute</source>
        <translation>再計算</translation>
    </message>
    <message>
        <source>Retry when out of memory</source>
        <translation>メモリ不足時の再試行</translation>
    </message>
    <message>
        <source>Group by length</source>
        <translation>長さでまとめる</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>チャットテンプレート</translation>
    </message>
    <message>
        <source>Training data</source>
        <translation>学習データ</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>列</translation>
    </message>
    <message>
        <source>Held-out data</source>
        <translation>評価データ</translation>
    </message>
    <message>
        <source>Held-out share</source>
        <translation>評価用の割合</translation>
    </message>
    <message>
        <source>Evaluate every</source>
        <translation>評価の間隔</translation>
    </message>
    <message>
        <source>Longest row</source>
        <translation>行の最大長</translation>
    </message>
    <message>
        <source>Shuffle rows</source>
        <translation>行をシャッフル</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>シード</translation>
    </message>
    <message>
        <source>Optimizer</source>
        <translation>オプティマイザ</translation>
    </message>
    <message>
        <source>Selection rule</source>
        <translation>選択規則</translation>
    </message>
    <message>
        <source>Alpha (α)</source>
        <translation>アルファ (α)</translation>
    </message>
    <message>
        <source>α of attention</source>
        <translation>アテンションの α</translation>
    </message>
    <message>
        <source>α of MLPs</source>
        <translation>MLP の α</translation>
    </message>
    <message>
        <source>α of the embedding</source>
        <translation>埋め込みの α</translation>
    </message>
    <message>
        <source>α of the head</source>
        <translation>ヘッドの α</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>HFT draws every</source>
        <translation>HFT の抽選間隔</translation>
    </message>
    <message>
        <source>L1 pull</source>
        <translation>L1 引き戻し</translation>
    </message>
    <message>
        <source>L2 pull</source>
        <translation>L2 引き戻し</translation>
    </message>
    <message>
        <source>Filtered parameters</source>
        <translation>選別するパラメータ</translation>
    </message>
    <message>
        <source>Unfiltered parameters</source>
        <translation>選別しないパラメータ</translation>
    </message>
    <message>
        <source>Weight decay</source>
        <translation>重み減衰</translation>
    </message>
    <message>
        <source>Decay reaches</source>
        <translation>減衰の対象</translation>
    </message>
    <message>
        <source>Beta 1</source>
        <translation>ベータ 1</translation>
    </message>
    <message>
        <source>Beta 2</source>
        <translation>ベータ 2</translation>
    </message>
    <message>
        <source>Epsilon</source>
        <translation>イプシロン</translation>
    </message>
    <message>
        <source>Loss mean</source>
        <translation>損失の平均</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>Schedule</source>
        <translation>スケジュール</translation>
    </message>
    <message>
        <source>Warm-up</source>
        <translation>ウォームアップ</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>ステップ数</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>エポック数</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>バッチ</translation>
    </message>
    <message>
        <source>Micro-batch</source>
        <translation>マイクロバッチ</translation>
    </message>
    <message>
        <source>Gradient clip</source>
        <translation>勾配クリップ</translation>
    </message>
    <message>
        <source>At NaN or Inf</source>
        <translation>NaN・Inf のとき</translation>
    </message>
    <message>
        <source>Steps left out</source>
        <translation>飛ばすステップ</translation>
    </message>
    <message>
        <source>Guards do</source>
        <translation>ガードの動作</translation>
    </message>
    <message>
        <source>Loss spike</source>
        <translation>損失の跳ね</translation>
    </message>
    <message>
        <source>At a spike</source>
        <translation>跳ねたとき</translation>
    </message>
    <message>
        <source>Drift limit</source>
        <translation>ドリフト上限</translation>
    </message>
    <message>
        <source>At the drift limit</source>
        <translation>ドリフト上限のとき</translation>
    </message>
    <message>
        <source>Held-out loss rise</source>
        <translation>評価損失の上昇</translation>
    </message>
    <message>
        <source>At a rise</source>
        <translation>上昇したとき</translation>
    </message>
    <message>
        <source>Rise over the start</source>
        <translation>開始時からの上昇</translation>
    </message>
    <message>
        <source>At a rise over the start</source>
        <translation>開始時から上昇したとき</translation>
    </message>
    <message>
        <source>Early stop</source>
        <translation>早期終了</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Offload</source>
        <translation>オフロード</translation>
    </message>
    <message>
        <source>Checkpoint every</source>
        <translation>チェックポイント間隔</translation>
    </message>
    <message>
        <source>Checkpoint after</source>
        <translation>チェックポイント時間</translation>
    </message>
    <message>
        <source>Keep newest</source>
        <translation>残す数</translation>
    </message>
    <message>
        <source>Statistics every</source>
        <translation>統計の間隔</translation>
    </message>
    <message>
        <source>Row counts of</source>
        <translation>行ごとの数</translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation>カバレッジ</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>Probes every</source>
        <translation>プローブの間隔</translation>
    </message>
    <message>
        <source>Probes after</source>
        <translation>プローブまでの時間</translation>
    </message>
    <message>
        <source>Probe budget</source>
        <translation>プローブの予算</translation>
    </message>
    <message>
        <source>Forgotten accuracy</source>
        <translation>忘却(正解率)</translation>
    </message>
    <message>
        <source>At that loss</source>
        <translation>正解率の低下時</translation>
    </message>
    <message>
        <source>Forgotten nats</source>
        <translation>忘却(nats)</translation>
    </message>
    <message>
        <source>At that rise</source>
        <translation>その上昇時</translation>
    </message>
    <message>
        <source>LoRA rank</source>
        <translation>LoRA のランク</translation>
    </message>
    <message>
        <source>LoRA scale</source>
        <translation>LoRA の倍率</translation>
    </message>
    <message>
        <source>LoRA dropout</source>
        <translation>LoRA のドロップアウト</translation>
    </message>
</context>
<context>
    <name>KeySection</name>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>データ</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>手法</translation>
    </message>
    <message>
        <source>Schedule</source>
        <translation>スケジュール</translation>
    </message>
    <message>
        <source>Guard rails</source>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>統計</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
</context>
<context>
    <name>KeyUnit</name>
    <message>
        <source>share of the rows</source>
        <translation>行に対する割合</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>steps, or share below 1</source>
        <translation>ステップ、1 未満は割合</translation>
    </message>
    <message>
        <source>epochs</source>
        <translation>エポック</translation>
    </message>
    <message>
        <source>rows</source>
        <translation>行</translation>
    </message>
    <message>
        <source>evaluations</source>
        <translation>回の評価</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>分</translation>
    </message>
    <message>
        <source>checkpoints</source>
        <translation>個</translation>
    </message>
    <message>
        <source>share of the time</source>
        <translation>時間の割合</translation>
    </message>
    <message>
        <source>share</source>
        <translation>割合</translation>
    </message>
</context>
<context>
    <name>Preset</name>
    <message>
        <source>MoFO paper, MetaMathQA</source>
        <translation>MoFO 論文、MetaMathQA</translation>
    </message>
    <message>
        <source>The recipe of arXiv 2407.20999 for Llama-2-7B on the first 39,500 rows of MetaMathQA. The paper trains in bf16; this version trains in fp32.</source>
        <translation>arXiv 2407.20999 の Llama-2-7B・MetaMathQA 先頭 39,500 行のレシピ。論文は bf16、この版は fp32 で学習します。</translation>
    </message>
    <message>
        <source>MoFO paper, PMC-LLaMA instructions</source>
        <translation>MoFO 論文、PMC-LLaMA instructions</translation>
    </message>
    <message>
        <source>The recipe of arXiv 2407.20999 for Llama-2-7B-chat on the first 51,200 rows of the PMC-LLaMA instructions. The paper trains in bf16; this version trains in fp32.</source>
        <translation>arXiv 2407.20999 の Llama-2-7B-chat・PMC-LLaMA instructions 先頭 51,200 行のレシピ。論文は bf16、この版は fp32 で学習します。</translation>
    </message>
    <message>
        <source>Small machine</source>
        <translation>小さなマシン</translation>
    </message>
    <message>
        <source>A model of up to about a billion parameters on a laptop or desktop: short rows, small micro-batches, a checkpoint every 200 steps.</source>
        <translation>ノートやデスクトップで約 10 億パラメータまでのモデル。短い行、小さなマイクロバッチ、200 ステップごとのチェックポイント。</translation>
    </message>
    <message>
        <source>Demonstration</source>
        <translation>デモ</translation>
    </message>
    <message>
        <source>40 steps in a few minutes on two cores, measured often enough to watch selection and drift; a checkpoint at the end.</source>
        <translation>2 コアで数分、40 ステップ。選択とドリフトを見られるよう頻繁に測定し、最後にチェックポイントを書きます。</translation>
    </message>
</context>
<context>
    <name>RunCharts</name>
    <message>
        <source>Gradient norm</source>
        <translation>勾配ノルム</translation>
    </message>
    <message>
        <source>before clipping</source>
        <translation>クリップ前</translation>
    </message>
    <message>
        <source>after</source>
        <translation>後</translation>
    </message>
    <message>
        <source>L1, top α</source>
        <translation>L1、上位 α</translation>
    </message>
    <message>
        <source>clip</source>
        <translation>クリップ</translation>
    </message>
    <message>
        <source>trained tokens/s</source>
        <translation>学習トークン/秒</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>トークン/秒</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>Time per step</source>
        <translation>1 ステップの時間</translation>
    </message>
    <message>
        <source>data</source>
        <translation>データ</translation>
    </message>
    <message>
        <source>forward, backward</source>
        <translation>順伝播・逆伝播</translation>
    </message>
    <message>
        <source>optimizer</source>
        <translation>オプティマイザ</translation>
    </message>
    <message>
        <source>statistics</source>
        <translation>統計</translation>
    </message>
    <message>
        <source>whole step</source>
        <translation>ステップ全体</translation>
    </message>
    <message>
        <source>This run has no samples of the machine.</source>
        <translation>この実行には計算機の記録がありません。</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>負荷</translation>
    </message>
    <message>
        <source>processor</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>GiB</source>
        <translation>GiB</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>メモリ</translation>
    </message>
    <message>
        <source>engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>host, all</source>
        <translation>ホスト全体</translation>
    </message>
    <message>
        <source>GPU memory</source>
        <translation>GPU メモリ</translation>
    </message>
    <message>
        <source>host memory</source>
        <translation>ホストメモリ</translation>
    </message>
    <message>
        <source>No temperature or power is known of this device.</source>
        <translation>この装置の温度や電力は分かりません。</translation>
    </message>
    <message>
        <source>Temperature and power</source>
        <translation>温度と電力</translation>
    </message>
    <message>
        <source>temperature, °C</source>
        <translation>温度、°C</translation>
    </message>
    <message>
        <source>power, W</source>
        <translation>電力、W</translation>
    </message>
    <message>
        <source>First statistics after step 1</source>
        <translation>最初の統計はステップ 1 の後です</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>median</source>
        <translation>中央値</translation>
    </message>
    <message>
        <source>Churn and coverage</source>
        <translation>入れ替わりと網羅率</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>一度でも動いた</translation>
    </message>
    <message>
        <source>relative L2</source>
        <translation>相対 L2</translation>
    </message>
    <message>
        <source>Drift by kind</source>
        <translation>種類別ドリフト</translation>
    </message>
    <message>
        <source>whole model</source>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>guard: drift</source>
        <translation>ガード: ドリフト</translation>
    </message>
</context>
<context>
    <name>Tuning</name>
    <message>
        <source>%1 sent for step %2</source>
        <translation>%1 を送信済み (ステップ %2 から)</translation>
    </message>
    <message>
        <source>%1 sent; taken when the run is resumed</source>
        <translation>%1 を送信済み。再開時に反映されます</translation>
    </message>
    <message>
        <source>%1 sent: no answer for %2</source>
        <translation>%1 を送信済み: %2 応答がありません</translation>
    </message>
    <message>
        <source>%1 sent, no answer yet… %2</source>
        <translation>%1 を送信済み、まだ応答がありません… %2</translation>
    </message>
    <message>
        <source>%1 sent, waiting for step… %2</source>
        <translation>%1 を送信済み、ステップを待っています… %2</translation>
    </message>
    <message>
        <source>nothing</source>
        <comment>an empty value</comment>
        <translation>なし</translation>
    </message>
    <message>
        <source>staged %1, not sent</source>
        <translation>%1 を準備中 (未送信)</translation>
    </message>
    <message>
        <source>sending %1 …</source>
        <translation>%1 を送信中…</translation>
    </message>
    <message>
        <source> · by %1</source>
        <translation> · %1 より</translation>
    </message>
    <message>
        <source>%1 will apply on resume, at step %2</source>
        <translation>%1 は再開時、ステップ %2 から適用されます</translation>
    </message>
    <message>
        <source>%1 since step %2</source>
        <translation>%1 (ステップ %2 から)</translation>
    </message>
    <message>
        <source>applied</source>
        <translation>適用中</translation>
    </message>
    <message>
        <source>✗ refused: %1</source>
        <translation>✗ 拒否: %1</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>The window of MoFO Workbench: watch and tune fine-tuning runs. Closing it never stops a run.</source>
        <translation>MoFO Workbench のウィンドウ: ファインチューニングの実行を監視し、調整します。閉じても実行は止まりません。</translation>
    </message>
    <message>
        <source>Folder of the workspace.</source>
        <translation>ワークスペースのフォルダー。</translation>
    </message>
    <message>
        <source>Open page Run on this run: id, unique prefix or name.</source>
        <translation>この実行を「実行」ページで開きます: ID、一意に定まる ID の先頭部分、または名前。</translation>
    </message>
    <message>
        <source>light, dark or desktop.</source>
        <translation>light、dark または desktop。</translation>
    </message>
    <message>
        <source>en or ja.</source>
        <translation>en または ja。</translation>
    </message>
    <message>
        <source>For developers: write the window as a PNG and quit.</source>
        <translation>開発者向け: ウィンドウを PNG として保存し、終了します。</translation>
    </message>
    <message>
        <source>With --screenshot: wait this many milliseconds (1500).</source>
        <translation>--screenshot と併用: 待ち時間をミリ秒で指定します（1500）。</translation>
    </message>
    <message>
        <source>With --screenshot: size of the window (1440x900).</source>
        <translation>--screenshot と併用: ウィンドウのサイズ（1440x900）。</translation>
    </message>
    <message>
        <source>Open this page: runs, new, run, compare, chat, models or setup.</source>
        <translation>このページを開く：runs、new、run、compare、chat、models、setup。</translation>
    </message>
    <message>
        <source>Put this model or data file into the form of a new run.</source>
        <translation>このモデルまたはデータファイルを新しい実行のフォームに入れる。</translation>
    </message>
    <message>
        <source>Open page Compare with these runs, separated by commas; the first is the baseline A.</source>
        <translation>これらの実行（コンマ区切り）で「比較」ページを開きます。最初のものが基準 A です。</translation>
    </message>
</context>
<context>
    <name>mofo::AlphaDial</name>
    <message>
        <source>applied %1</source>
        <translation>適用中 %1</translation>
    </message>
    <message>
        <source>sent %1</source>
        <translation>送信済み %1</translation>
    </message>
    <message>
        <source>staged %1</source>
        <translation>保留 %1</translation>
    </message>
</context>
<context>
    <name>mofo::AlphaStrip</name>
    <message>
        <source>α asked</source>
        <translation>指定した α</translation>
    </message>
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message>
        <source>asked</source>
        <translation>指定</translation>
    </message>
    <message>
        <source>moved, all</source>
        <translation>動いた割合 (全体)</translation>
    </message>
</context>
<context>
    <name>mofo::BranchDialog</name>
    <message>
        <source>Branch: a child run</source>
        <translation>分岐: 子の実行</translation>
    </message>
    <message>
        <source>Checkpoint to start from</source>
        <translation>始点のチェックポイント</translation>
    </message>
    <message>
        <source>step 0: the pretrained model</source>
        <translation>ステップ 0: 事前学習モデル</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>Name of the child run</source>
        <translation>子の実行の名前</translation>
    </message>
    <message>
        <source>made from this run&apos;s name</source>
        <translation>この実行の名前から付けます</translation>
    </message>
    <message>
        <source>no staged changes</source>
        <translation>準備中の変更なし</translation>
    </message>
    <message>
        <source>with the staged changes: %1</source>
        <translation>準備中の変更を含める: %1</translation>
    </message>
    <message>
        <source>Start with the staged changes</source>
        <translation>準備中の変更で始める</translation>
    </message>
    <message>
        <source>From</source>
        <translation>始点</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>This run stays as it is. The child starts when the device is free.</source>
        <translation>この実行はそのままです。子は装置が空くと始まります。</translation>
    </message>
    <message>
        <source>Branch</source>
        <translation>分岐</translation>
    </message>
    <message>
        <source>Make the child run</source>
        <translation>子の実行を作る</translation>
    </message>
</context>
<context>
    <name>mofo::ChartLegend</name>
    <message>
        <source>%1 (off)</source>
        <translation>%1 (非表示)</translation>
    </message>
    <message>
        <source>%1: click or Space switches it, Alt+click shows it alone</source>
        <translation>%1: クリックかスペースで切り替え、Alt+クリックで単独表示</translation>
    </message>
</context>
<context>
    <name>mofo::ChartTableModel</name>
    <message>
        <source>%1 (taken back)</source>
        <comment>step</comment>
        <translation>%1 (取り消し済み)</translation>
    </message>
    <message>
        <source>step</source>
        <translation>ステップ</translation>
    </message>
</context>
<context>
    <name>mofo::ChartView</name>
    <message>
        <source>%1: values at the cursor</source>
        <translation>%1: カーソル位置の値</translation>
    </message>
    <message>
        <source>%1 could not be written: check folder and free space.</source>
        <translation>%1 に書き込めませんでした。フォルダーと空き容量を確認してください。</translation>
    </message>
    <message>
        <source>%1 has no known ending: name it .png, .svg or .pdf.</source>
        <translation>%1 の拡張子が分かりません。.png、.svg、.pdf のいずれかにしてください。</translation>
    </message>
    <message>
        <source>Save values</source>
        <translation>値を保存</translation>
    </message>
    <message>
        <source>Save image</source>
        <translation>画像を保存</translation>
    </message>
    <message>
        <source>Comma-separated values (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message>
        <source>PNG image (*.png);;SVG drawing (*.svg);;PDF (*.pdf)</source>
        <translation>PNG 画像 (*.png);;SVG 図 (*.svg);;PDF (*.pdf)</translation>
    </message>
    <message>
        <source>Saved as %1.</source>
        <translation>%1 に保存しました。</translation>
    </message>
    <message>
        <source>%1: what can be done</source>
        <translation>%1: できること</translation>
    </message>
    <message>
        <source>What can be done with this chart (Menu key)</source>
        <translation>このグラフでできること (メニューキー)</translation>
    </message>
    <message>
        <source>%1: values of the visible range</source>
        <translation>%1: 表示範囲の値</translation>
    </message>
    <message>
        <source>%1 · step %2 · %3 · by %4, %5</source>
        <comment>letter, step, what, who, when</comment>
        <translation>%1 · ステップ %2 · %3 · %4、%5</translation>
    </message>
    <message>
        <source> · taken after %1 s</source>
        <translation> · %1 秒後に反映</translation>
    </message>
    <message>
        <source>Fit the whole run</source>
        <translation>全体を表示</translation>
    </message>
    <message>
        <source>Follow the newest step</source>
        <translation>最新ステップを追う</translation>
    </message>
    <message>
        <source>Next event</source>
        <translation>次の出来事</translation>
    </message>
    <message>
        <source>Previous event</source>
        <translation>前の出来事</translation>
    </message>
    <message>
        <source>Next NaN or Inf</source>
        <translation>次の NaN または Inf</translation>
    </message>
    <message>
        <source>Set mark A here: read-outs show the difference</source>
        <translation>ここに印 A を置く: 差を表示します</translation>
    </message>
    <message>
        <source>Clear mark A</source>
        <translation>印 A を消す</translation>
    </message>
    <message>
        <source>Values as a table</source>
        <translation>値の表</translation>
    </message>
    <message>
        <source>This chart alone</source>
        <translation>このグラフだけ</translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation>画像をコピー</translation>
    </message>
    <message>
        <source>Copy visible values</source>
        <translation>表示中の値をコピー</translation>
    </message>
    <message>
        <source>Save image: PNG, SVG or PDF …</source>
        <translation>画像を保存: PNG、SVG、PDF…</translation>
    </message>
    <message>
        <source>Save values: CSV …</source>
        <translation>値を保存: CSV…</translation>
    </message>
    <message>
        <source>The chart is on the clipboard, at twice its size.</source>
        <translation>グラフを 2 倍の大きさでコピーしました。</translation>
    </message>
    <message>
        <source>Lines on the clipboard: %1</source>
        <translation>コピーした行数: %1</translation>
    </message>
</context>
<context>
    <name>mofo::CommandPalette</name>
    <message>
        <source>Command palette</source>
        <translation>コマンドパレット</translation>
    </message>
    <message>
        <source>Find an act, a page, a run, a setting or a tensor</source>
        <translation>操作、ページ、実行、設定、テンソルを検索</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>見つかったもの</translation>
    </message>
</context>
<context>
    <name>mofo::ComparePage</name>
    <message>
        <source>Compare</source>
        <translation>比較</translation>
    </message>
    <message>
        <source>Compare runs</source>
        <translation>実行を比較</translation>
    </message>
    <message>
        <source>Show equal keys too</source>
        <translation>同じキーも表示</translation>
    </message>
    <message>
        <source>Differences of the configurations</source>
        <translation>設定の違い</translation>
    </message>
    <message>
        <source>The configurations are equal.</source>
        <translation>設定は同じです。</translation>
    </message>
    <message>
        <source>Ways to compare</source>
        <translation>比較の方法</translation>
    </message>
    <message>
        <source>Config diff</source>
        <translation>設定の差分</translation>
    </message>
    <message>
        <source>Overlay</source>
        <translation>重ね描き</translation>
    </message>
    <message>
        <source>Key %1</source>
        <translation>キー %1</translation>
    </message>
    <message>
        <source>Choose two or more runs in Runs (Space selects, Ctrl+Return compares), or add them here. Their curves are drawn over one axis, their configurations stand side by side.</source>
        <translation>「実行一覧」で 2 つ以上の実行を選ぶか（Space で選択、Ctrl+Return で比較）、ここで追加してください。曲線は 1 つの軸の上に重ねて描かれ、設定は横に並びます。</translation>
    </message>
    <message>
        <source>What this page does</source>
        <translation>このページの説明</translation>
    </message>
    <message>
        <source>+ Add</source>
        <translation>＋ 追加</translation>
    </message>
    <message>
        <source>Add a run to the comparison</source>
        <translation>比較に実行を追加</translation>
    </message>
    <message>
        <source>Second chart</source>
        <translation>2 つ目のグラフ</translation>
    </message>
    <message>
        <source>Mean of seeds</source>
        <translation>シードの平均</translation>
    </message>
    <message>
        <source>Draw runs that differ in their seed alone as their mean</source>
        <translation>シードだけが異なる実行を平均として描く</translation>
    </message>
    <message>
        <source>Runs of equal configuration but the seed become one line, their mean, in a band from least to greatest</source>
        <translation>シード以外の設定が等しい実行は、最小から最大までの帯を伴う 1 本の平均線になります</translation>
    </message>
    <message>
        <source>What the x axis counts</source>
        <translation>x 軸の単位</translation>
    </message>
    <message>
        <source>What the x axis of the charts counts. Training time leaves pauses out.</source>
        <translation>グラフの x 軸の単位です。学習時間には一時停止が含まれません。</translation>
    </message>
    <message>
        <source>x: step</source>
        <translation>x: ステップ</translation>
    </message>
    <message>
        <source>x: epoch</source>
        <translation>x: エポック</translation>
    </message>
    <message>
        <source>x: trained tokens</source>
        <translation>x: 学習トークン</translation>
    </message>
    <message>
        <source>x: wall time</source>
        <translation>x: 実時間</translation>
    </message>
    <message>
        <source>x: training time</source>
        <translation>x: 学習時間</translation>
    </message>
    <message>
        <source>Where the x axis of each run begins</source>
        <translation>各実行の x 軸の始まり</translation>
    </message>
    <message>
        <source>Branches go on counting where they left their parent: from their own first step they begin at zero</source>
        <translation>分岐は親から分かれたところから数え続けます。自身の開始からにすると 0 から始まります</translation>
    </message>
    <message>
        <source>as counted</source>
        <translation>数えたまま</translation>
    </message>
    <message>
        <source>from own start</source>
        <translation>自身の開始から</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>全体</translation>
    </message>
    <message>
        <source>Show all of the runs (0 in a chart)</source>
        <translation>実行の全体を表示します（グラフで 0）</translation>
    </message>
    <message>
        <source>%1 runs are the most that can be compared: the others were left out.</source>
        <translation>比較できる実行は最大 %1 件です。残りは除かれました。</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>run, what is wrong</comment>
        <translation>%1: %2</translation>
    </message>
</context>
<context>
    <name>mofo::ComparedRuns</name>
    <message>
        <source>%1, mean of %2 seeds</source>
        <comment>run, how many</comment>
        <translation>%1、%2 シードの平均</translation>
    </message>
</context>
<context>
    <name>mofo::ConfigDiffModel</name>
    <message>
        <source> → %1 @%2</source>
        <comment>new value, step</comment>
        <translation> → %1 @%2</translation>
    </message>
    <message>
        <source>They tune different models.</source>
        <translation>異なるモデルをチューニングしています。</translation>
    </message>
    <message>
        <source>They train on different rows.</source>
        <translation>異なる行で学習しています。</translation>
    </message>
    <message>
        <source>Their rows come in another order.</source>
        <translation>行の順序が異なります。</translation>
    </message>
    <message>
        <source>Their rows are cut at different lengths.</source>
        <translation>行を切る長さが異なります。</translation>
    </message>
    <message>
        <source>The mean per micro-batch makes other micro-batches another loss.</source>
        <translation>マイクロバッチごとの平均では、マイクロバッチが違えば損失も別物です。</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
</context>
<context>
    <name>mofo::ConfigField</name>
    <message>
        <source>Key of --set: %1</source>
        <translation>--set のキー：%1</translation>
    </message>
    <message>
        <source>Back to the default of %1</source>
        <translation>%1 を既定値に戻す</translation>
    </message>
    <message>
        <source>Back to the default: empty</source>
        <translation>既定値に戻す：空</translation>
    </message>
    <message>
        <source>Back to the default: %1</source>
        <translation>既定値に戻す：%1</translation>
    </message>
    <message>
        <source>What is wrong with %1</source>
        <translation>%1 の問題</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>参照…</translation>
    </message>
    <message>
        <source>Browse for %1</source>
        <translation>%1 を参照</translation>
    </message>
    <message>
        <source>GGUF file…</source>
        <translation>GGUF ファイル…</translation>
    </message>
    <message>
        <source>Hugging Face folder…</source>
        <translation>Hugging Face フォルダ…</translation>
    </message>
    <message>
        <source>GGUF models (*.gguf)</source>
        <translation>GGUF モデル (*.gguf)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>すべてのファイル (*)</translation>
    </message>
    <message>
        <source>Rows (*.jsonl *.json *.csv *.tsv *.ndjson)</source>
        <translation>行データ (*.jsonl *.json *.csv *.tsv *.ndjson)</translation>
    </message>
    <message>
        <source>as alpha</source>
        <translation>alpha と同じ</translation>
    </message>
    <message>
        <source>Size of a block, or number of shards</source>
        <translation>ブロックの大きさ、またはシャードの数</translation>
    </message>
    <message>
        <source>GGUF file, Hugging Face folder, workspace model, or hf:owner/name</source>
        <translation>GGUF ファイル、Hugging Face フォルダ、ワークスペースのモデル、または hf:owner/name</translation>
    </message>
    <message>
        <source>JSONL, JSON array, CSV or TSV file, or hf:datasets/owner/name</source>
        <translation>JSONL、JSON 配列、CSV、TSV ファイル、または hf:datasets/owner/name</translation>
    </message>
</context>
<context>
    <name>mofo::ConfigTableModel</name>
    <message>
        <source>since step %1, by %2</source>
        <translation>ステップ %1 から（%2）</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>値</translation>
    </message>
    <message>
        <source>Changed while running</source>
        <translation>実行中に変更</translation>
    </message>
    <message>
        <source>Meaning</source>
        <translation>説明</translation>
    </message>
</context>
<context>
    <name>mofo::ControlsPanel</name>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>α: share that may move</source>
        <translation>α: 更新を許す割合</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Drag, or press the arrow keys: this stages a value, Apply sends it. The tinted band, 5 to 20 %, is advised.</source>
        <translation>ドラッグまたは矢印キーで値を保留し、「適用」で送信します。色の付いた 5～20 % が推奨範囲です。</translation>
    </message>
    <message>
        <source>Alpha in percent</source>
        <translation>α（パーセント）</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>State of alpha</source>
        <translation>α の状態</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>State of the granularity</source>
        <translation>粒度の状態</translation>
    </message>
    <message>
        <source>Staged changes</source>
        <translation>保留中の変更</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>適用</translation>
    </message>
    <message>
        <source>Apply the staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Sends all staged changes as one command; they take effect at one step (Ctrl+Return)</source>
        <translation>保留中の変更をすべて 1 つのコマンドとして送信します。変更は同じステップで有効になります（Ctrl+Return）</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>破棄</translation>
    </message>
    <message>
        <source>Discard the staged changes</source>
        <translation>保留中の変更を破棄</translation>
    </message>
    <message>
        <source>Why nothing was sent</source>
        <translation>送信されなかった理由</translation>
    </message>
    <message>
        <source>≈ %1 of %2 filtered coordinates per step</source>
        <translation>≈ ステップごとにフィルター対象 %2 座標中 %1</translation>
    </message>
    <message>
        <source>No run is shown</source>
        <translation>表示中の実行はありません</translation>
    </message>
    <message>
        <source>This run trains with AdamW: every coordinate moves</source>
        <translation>この実行は AdamW で学習しています: すべての座標が更新されます</translation>
    </message>
    <message>
        <source>This run has ended</source>
        <translation>この実行は終了しています</translation>
    </message>
    <message>
        <source>Staged changes: %1</source>
        <translation>保留中の変更: %1 件</translation>
    </message>
    <message>
        <source>No staged changes</source>
        <translation>保留中の変更はありません</translation>
    </message>
    <message>
        <source>Guard rails</source>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>all filtered tensors compete</source>
        <translation>選別対象の全テンソルで競う</translation>
    </message>
    <message>
        <source>the tensors of one layer compete</source>
        <translation>1 層のテンソル同士で競う</translation>
    </message>
    <message>
        <source>attention and MLP of one layer apart</source>
        <translation>1 層の注意と MLP を別々に</translation>
    </message>
    <message>
        <source>each tensor by itself, as in the paper</source>
        <translation>テンソルごと (論文どおり)</translation>
    </message>
    <message>
        <source>each attention head; other tensors as they are</source>
        <translation>注意ヘッドごと。他のテンソルはそのまま</translation>
    </message>
    <message>
        <source>each output row</source>
        <translation>出力の行ごと</translation>
    </message>
    <message>
        <source>N coordinates in a row</source>
        <translation>連続した N 座標ごと</translation>
    </message>
    <message>
        <source>each tensor in S equal parts</source>
        <translation>各テンソルを S 等分</translation>
    </message>
    <message>
        <source>N of the granularity</source>
        <translation>粒度の N</translation>
    </message>
    <message>
        <source>Apply at a step</source>
        <translation>ステップを指定して適用</translation>
    </message>
    <message>
        <source>at…</source>
        <translation>指定…</translation>
    </message>
    <message>
        <source>Apply at a step that you name</source>
        <translation>指定したステップで適用します</translation>
    </message>
    <message>
        <source>Step at which the staged changes take effect</source>
        <translation>準備中の変更が効き始めるステップ</translation>
    </message>
    <message>
        <source>step </source>
        <translation>ステップ </translation>
    </message>
    <message>
        <source>Apply then</source>
        <translation>そこで適用</translation>
    </message>
    <message>
        <source>Apply the staged changes at that step</source>
        <translation>準備中の変更をそのステップで適用</translation>
    </message>
    <message>
        <source>Guard rails on: %1</source>
        <translation>有効なガードレール: %1</translation>
    </message>
</context>
<context>
    <name>mofo::DataCard</name>
    <message>
        <source>Row on screen</source>
        <translation>表示中の行</translation>
    </message>
    <message>
        <source>row %1 of %2, line %3</source>
        <translation>行 %1 / %2（%3 行目）</translation>
    </message>
    <message>
        <source>Previous row</source>
        <translation>前の行</translation>
    </message>
    <message>
        <source>Next row</source>
        <translation>次の行</translation>
    </message>
    <message>
        <source>Random</source>
        <translation>ランダム</translation>
    </message>
    <message>
        <source>A random row</source>
        <translation>ランダムな行</translation>
    </message>
    <message>
        <source>Problems</source>
        <translation>問題</translation>
    </message>
    <message>
        <source>Next problem</source>
        <translation>次の問題</translation>
    </message>
    <message>
        <source>Rows that are refused, cut, or have nothing to train on (F7, Shift+F7)</source>
        <translation>拒否、切り詰め、学習対象なしの行（F7、Shift+F7）</translation>
    </message>
    <message>
        <source>Problem of the row on screen</source>
        <translation>表示中の行の問題</translation>
    </message>
    <message>
        <source>tinted and underlined: trained   grey: context   boxed: special   struck: cut</source>
        <translation>色と下線：学習   灰色：文脈   枠：特殊   取り消し線：切り捨て</translation>
    </message>
    <message>
        <source>Row as tokens</source>
        <translation>行のトークン表示</translation>
    </message>
    <message>
        <source>The rows appear here as the model will read them, trained tokens marked.</source>
        <translation>モデルが読むとおりの行がここに表示され、学習するトークンに印が付きます。</translation>
    </message>
    <message>
        <source>Counts of rows</source>
        <translation>行数の集計</translation>
    </message>
    <message>
        <source>%1 tokens, %2 trained</source>
        <translation>%1 トークン、学習 %2</translation>
    </message>
    <message>
        <source>refused: %1</source>
        <translation>拒否：%1</translation>
    </message>
    <message>
        <source>Problems %1</source>
        <translation>問題 %1</translation>
    </message>
    <message>
        <source>reading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>%1: %2 rows</source>
        <translation>%1：%2 行</translation>
    </message>
    <message>
        <source>%1: %2 rows so far (%3)</source>
        <translation>%1：ここまで %2 行（%3）</translation>
    </message>
    <message>
        <source>nothing to train on %1</source>
        <translation>学習対象なし %1</translation>
    </message>
    <message>
        <source>cut %1</source>
        <translation>切り詰め %1</translation>
    </message>
    <message>
        <source>refused %1</source>
        <translation>拒否 %1</translation>
    </message>
    <message>
        <source>longest %1</source>
        <translation>最長 %1</translation>
    </message>
</context>
<context>
    <name>mofo::DataScanner</name>
    <message>
        <source>Nothing to train on within %1 tokens (max_length).</source>
        <translation>%1 トークン以内に学習対象がありません（max_length）。</translation>
    </message>
    <message>
        <source>Nothing to train on: the row has no answer.</source>
        <translation>学習対象なし：回答がありません。</translation>
    </message>
    <message>
        <source>Cut from %1 to %2 tokens (max_length).</source>
        <translation>%1 から %2 トークンに切り詰め（max_length）。</translation>
    </message>
    <message>
        <source>nothing to train on within max_length</source>
        <translation>max_length 以内に学習対象なし</translation>
    </message>
    <message>
        <source>nothing to train on</source>
        <translation>学習対象なし</translation>
    </message>
    <message>
        <source>%1 tokens, cut</source>
        <translation>%1 トークン、切り詰め</translation>
    </message>
    <message>
        <source>The file holds no rows.</source>
        <translation>ファイルに行がありません。</translation>
    </message>
    <message>
        <source>No row can be trained on.</source>
        <translation>学習できる行がありません。</translation>
    </message>
    <message>
        <source>No row can be trained on; line %1: %2</source>
        <translation>学習できる行がありません。%1 行目：%2</translation>
    </message>
</context>
<context>
    <name>mofo::DriftPicture</name>
    <message>
        <source>Picture: drift of every layer from its pretrained weights over the steps of the recorded runs; AdamW&apos;s layers drift about twice as far as MoFO&apos;s</source>
        <translation>図: 記録された実行で、各層が事前学習の重みからどれだけ離れたかをステップごとに示します。AdamW の層は MoFO の約 2 倍離れています</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>層 %1</translation>
    </message>
    <message>
        <source>AdamW: every weight moves</source>
        <translation>AdamW: すべての重みが動く</translation>
    </message>
    <message>
        <source>MoFO: 15 %, then 5 % may move</source>
        <translation>MoFO: 15 %、その後 5 % だけが動ける</translation>
    </message>
    <message>
        <source>embed</source>
        <translation>埋め込み</translation>
    </message>
    <message>
        <source>steps 1 to 60 of two recorded runs on the same rows; yellow: far from the pretrained weights</source>
        <translation>同じ行で記録した 2 つの実行のステップ 1～60。黄色: 事前学習の重みから遠い</translation>
    </message>
</context>
<context>
    <name>mofo::EffectCard</name>
    <message>
        <source>Before and after the last change</source>
        <translation>直近の変更の前後</translation>
    </message>
    <message>
        <source>%1 %2 → %3</source>
        <comment>config key, old and new value</comment>
        <translation>%1 %2 → %3</translation>
    </message>
    <message>
        <source>%1, from step %2</source>
        <translation>%1 (ステップ %2 から)</translation>
    </message>
    <message>
        <source>before</source>
        <translation>前</translation>
    </message>
    <message>
        <source>after</source>
        <translation>後</translation>
    </message>
    <message>
        <source>mean loss</source>
        <translation>平均損失</translation>
    </message>
    <message>
        <source>loss per 100 steps</source>
        <translation>100 ステップあたりの損失</translation>
    </message>
    <message>
        <source>drift per step</source>
        <translation>1 ステップのドリフト</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Too early: %1 of %2 steps</source>
        <translation>まだ早い: %2 ステップ中 %1</translation>
    </message>
    <message>
        <source>%1 steps before, %2 after; beside each other, not because of each other.</source>
        <translation>前 %1、後 %2 ステップ。並べただけで、因果は示しません。</translation>
    </message>
</context>
<context>
    <name>mofo::EventLogModel</name>
    <message>
        <source>%1 → %2</source>
        <comment>old to new value</comment>
        <translation>%1 → %2</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>操作元</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>詳細</translation>
    </message>
    <message>
        <source>The newest stands first</source>
        <translation>新しいものが先頭です</translation>
    </message>
    <message>
        <source>Time, newest first</source>
        <translation>時刻（新しい順）</translation>
    </message>
</context>
<context>
    <name>mofo::FirstScreen</name>
    <message>
        <source>Fine-tune a language model without forgetting what it knew</source>
        <translation>知識を忘れさせずに言語モデルをファインチューニング</translation>
    </message>
    <message>
        <source>MoFO moves, at every step, only the coordinates with the largest momentum within each partition of the model. Everything else stays where pretraining left it, so the model learns the task and keeps the rest. Here you set up a run, watch where it moves and how far it drifts, and steer it while it trains.</source>
        <translation>MoFO は各ステップで、モデルの各パーティションの中でモーメンタムが最大の座標だけを動かします。ほかは事前学習のまま残るので、モデルはタスクを学びつつ元の能力を保ちます。ここでは実行を設定し、どこが動きどれだけドリフトするかを見ながら、学習中に調整できます。</translation>
    </message>
    <message>
        <source>partition</source>
        <translation>パーティション</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>coverage</source>
        <translation>カバレッジ</translation>
    </message>
    <message>
        <source>drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>What is %1?</source>
        <translation>%1 とは</translation>
    </message>
    <message>
        <source>What this machine can do</source>
        <translation>このマシンでできること</translation>
    </message>
    <message>
        <source>Watch a live demo</source>
        <translation>ライブデモを見る</translation>
    </message>
    <message>
        <source>SmolLM2-135M on grade-school maths: 40 steps, a few minutes on two cores, about 3 GiB of memory. Nothing is downloaded.</source>
        <translation>SmolLM2-135M と小学校の算数：40 ステップ、2 コアで数分、メモリ約 3 GiB。ダウンロードはしません。</translation>
    </message>
    <message>
        <source>Needs SmolLM2-135M (about 90 MB) and GSM8K&apos;s test problems (1 MB), which `installer/bootstrap demo` fetches.</source>
        <translation>SmolLM2-135M（約 90 MB）と GSM8K のテスト問題（1 MB）が必要です。`installer/bootstrap demo` が取得します。</translation>
    </message>
    <message>
        <source>Tune my model</source>
        <translation>自分のモデルをチューニング</translation>
    </message>
    <message>
        <source>Look at a recorded run</source>
        <translation>記録された実行を見る</translation>
    </message>
    <message>
        <source>A short real run with all its measurements, read-only; works offline and without a GPU.</source>
        <translation>すべての測定値を含む短い実際の実行（読み取り専用）。オフラインでも GPU なしでも見られます。</translation>
    </message>
    <message>
        <source>This build comes without the recorded workspace.</source>
        <translation>このビルドには記録済みワークスペースがありません。</translation>
    </message>
    <message>
        <source>Import a model…</source>
        <translation>モデルを取り込む…</translation>
    </message>
    <message>
        <source>Import a model</source>
        <translation>モデルを取り込む</translation>
    </message>
    <message>
        <source>Looking at this machine…</source>
        <translation>このマシンを調べています…</translation>
    </message>
    <message>
        <source>This machine: %1, %2 of GPU memory. Full MoFO in fp32 up to about %3 parameters.</source>
        <translation>このマシン：%1、GPU メモリ %2。fp32 の MoFO で約 %3 パラメータまで。</translation>
    </message>
    <message>
        <source>This machine: %1, no usable GPU, %2 of memory free. Full MoFO in fp32 on the CPU up to about %3 parameters.</source>
        <translation>このマシン：%1、使える GPU なし、空きメモリ %2。CPU での fp32 の MoFO で約 %3 パラメータまで。</translation>
    </message>
    <message>
        <source>There is no workspace in %1 yet: the first run makes it.</source>
        <translation>%1 にはまだワークスペースがありません。最初の実行で作られます。</translation>
    </message>
    <message>
        <source>No run yet in %1. Runs started on the command line appear here by themselves.</source>
        <translation>%1 にはまだ実行がありません。コマンドラインで始めた実行もここに現れます。</translation>
    </message>
    <message>
        <source>Drop a model folder, a GGUF or a file of rows anywhere in this window, or name a model here or on the next page. Nothing is downloaded or trained before you say so.</source>
        <translation>モデルのフォルダ、GGUF、行のファイルをこのウィンドウのどこかにドロップするか、ここか次のページでモデルを指定してください。指示するまでダウンロードも学習も始まりません。</translation>
    </message>
    <message>
        <source>Model to tune</source>
        <translation>チューニングするモデル</translation>
    </message>
    <message>
        <source>hf:owner/name, or a path</source>
        <translation>hf:owner/name またはパス</translation>
    </message>
</context>
<context>
    <name>mofo::FormSection</name>
    <message>
        <source>open</source>
        <translation>開いています</translation>
    </message>
    <message>
        <source>closed</source>
        <translation>閉じています</translation>
    </message>
</context>
<context>
    <name>mofo::GlossaryDialog</name>
    <message>
        <source>Glossary</source>
        <translation>用語集</translation>
    </message>
</context>
<context>
    <name>mofo::HistogramPlot</name>
    <message>
        <source>Histogram of |m|</source>
        <translation>|m| のヒストグラム</translation>
    </message>
    <message>
        <source>threshold %1</source>
        <translation>しきい値 %1</translation>
    </message>
    <message>
        <source>%1 coordinates with %2 ≤ |m| &lt; %3</source>
        <translation>%2 ≤ |m| &lt; %3 の座標 %1 個</translation>
    </message>
</context>
<context>
    <name>mofo::HubCard</name>
    <message>
        <source>On the Hugging Face Hub</source>
        <translation>Hugging Face Hub 上</translation>
    </message>
    <message>
        <source>Licence and size</source>
        <translation>ライセンスとサイズ</translation>
    </message>
    <message>
        <source>What is to come, and the room for it</source>
        <translation>これから取得する量と空き容量</translation>
    </message>
    <message>
        <source>Progress of the download</source>
        <translation>ダウンロードの進み具合</translation>
    </message>
    <message>
        <source>Where the download is</source>
        <translation>ダウンロードの現在位置</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取り消す</translation>
    </message>
    <message>
        <source>Cancel the download</source>
        <translation>ダウンロードを取り消す</translation>
    </message>
    <message>
        <source>What has come is kept, and the next download goes on from there.</source>
        <translation>取得済みの分は残り、次のダウンロードはその続きから始まります。</translation>
    </message>
    <message>
        <source>Access token of the Hub</source>
        <translation>Hub のアクセストークン</translation>
    </message>
    <message>
        <source>Kept in memory until this window closes, never stored</source>
        <translation>このウィンドウを閉じるまでメモリにだけ保持し、保存しません</translation>
    </message>
    <message>
        <source>hf_… from huggingface.co/settings/tokens, kept in memory until this window closes</source>
        <translation>huggingface.co/settings/tokens の hf_…（このウィンドウを閉じるまでメモリにだけ保持）</translation>
    </message>
    <message>
        <source>Use this token</source>
        <translation>このトークンを使う</translation>
    </message>
    <message>
        <source>Asking the Hub for %1…</source>
        <translation>Hub に %1 を問い合わせ中…</translation>
    </message>
    <message>
        <source>Copy %1</source>
        <translation>%1 をコピー</translation>
    </message>
    <message>
        <source>Resume, %1 left</source>
        <translation>再開（残り %1）</translation>
    </message>
    <message>
        <source>Download %1</source>
        <translation>ダウンロード %1</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <comment>act, name on the Hub</comment>
        <translation>%2：%1</translation>
    </message>
    <message>
        <source>The disk is too small: %1 are to come, %2 are free. Free some space, or set XDG_CACHE_HOME to another disk.</source>
        <translation>ディスクの空きが足りません。必要 %1、空き %2。空きを作るか、XDG_CACHE_HOME を別のディスクにしてください。</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>もう一度確認</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Open its page</source>
        <translation>そのページを開く</translation>
    </message>
    <message>
        <source>Set HF_TOKEN…</source>
        <translation>HF_TOKEN を設定…</translation>
    </message>
    <message>
        <source>Ask the Hub anyway</source>
        <translation>それでも Hub に問い合わせる</translation>
    </message>
    <message>
        <source>Use %1</source>
        <translation>%1 を使う</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>ダウンロード</translation>
    </message>
</context>
<context>
    <name>mofo::ImportPanel</name>
    <message>
        <source>Import a model</source>
        <translation>モデルを取り込む</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>It is copied into the workspace and sealed there: the weights that drift is measured against.</source>
        <translation>ワークスペースにコピーして封印します。ドリフトはこの重みから測ります。</translation>
    </message>
    <message>
        <source>Model to import</source>
        <translation>取り込むモデル</translation>
    </message>
    <message>
        <source>hf:owner/name, a GGUF file, or a Hugging Face folder</source>
        <translation>hf:owner/name、GGUF ファイル、または Hugging Face のフォルダー</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>選ぶ…</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>ファイルを選ぶ</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>取り込む</translation>
    </message>
    <message>
        <source>Import a model: a GGUF file, or the config.json of a Hugging Face folder</source>
        <translation>モデルを取り込む：GGUF ファイル、または Hugging Face フォルダーの config.json</translation>
    </message>
    <message>
        <source>Models (*.gguf config.json)</source>
        <translation>モデル (*.gguf config.json)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>すべてのファイル (*)</translation>
    </message>
    <message>
        <source>There is no file or folder of this name.</source>
        <translation>この名前のファイルやフォルダーはありません。</translation>
    </message>
    <message>
        <source>Download and import</source>
        <translation>ダウンロードして取り込む</translation>
    </message>
</context>
<context>
    <name>mofo::KeyRow</name>
    <message>
        <source>State of %1</source>
        <translation>%1 の状態</translation>
    </message>
    <message>
        <source>✗ %1</source>
        <translation>✗ %1</translation>
    </message>
</context>
<context>
    <name>mofo::KeysDialog</name>
    <message>
        <source>Keys</source>
        <translation>キー操作</translation>
    </message>
    <message>
        <source>Find a key</source>
        <translation>キーを検索</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Act</source>
        <translation>操作</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
</context>
<context>
    <name>mofo::KindTableModel</name>
    <message>
        <source>%1: not filtered, every coordinate may move</source>
        <translation>%1: フィルター対象外、すべての座標が更新される可能性があります</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>: idle rows, the mask chose %1</source>
        <translation>: 動かない行あり、マスクは %1 を選択</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>層</translation>
    </message>
</context>
<context>
    <name>mofo::LaterPage</name>
    <message>
        <source>On the command line today</source>
        <translation>現在のコマンドライン</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy %1</source>
        <translation>%1 をコピー</translation>
    </message>
</context>
<context>
    <name>mofo::LearningRateChart</name>
    <message>
        <source>Learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>used</source>
        <translation>実際</translation>
    </message>
    <message>
        <source>planned</source>
        <translation>予定</translation>
    </message>
    <message>
        <source>if applied</source>
        <translation>適用した場合</translation>
    </message>
</context>
<context>
    <name>mofo::LengthHistogram</name>
    <message>
        <source>Row lengths</source>
        <translation>行の長さ</translation>
    </message>
    <message>
        <source>Longest row %1 tokens; %2 rows are cut at %3</source>
        <translation>最長の行 %1 トークン。%2 行を %3 で切り詰め</translation>
    </message>
    <message>
        <source>Row lengths appear here.</source>
        <translation>行の長さがここに表示されます。</translation>
    </message>
    <message>
        <source>rows</source>
        <translation>行</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 トークン</translation>
    </message>
    <message>
        <source>max_length %1</source>
        <translation>max_length %1</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>max_length %1: beyond all rows</source>
        <translation>max_length %1：すべての行より長い</translation>
    </message>
    <message>
        <source>%1 rows of %2 to %3 tokens</source>
        <translation>%1 行：%2〜%3 トークン</translation>
    </message>
</context>
<context>
    <name>mofo::LineChart</name>
    <message>
        <source>%1: series</source>
        <translation>%1: 系列</translation>
    </message>
    <message>
        <source>log</source>
        <translation>対数</translation>
    </message>
    <message>
        <source>Logarithmic axis (L)</source>
        <translation>対数軸 (L)</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>chart, what its button switches</comment>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>taken back</source>
        <translation>取り消し済み</translation>
    </message>
    <message>
        <source>%1 NaN</source>
        <translation>NaN %1 個</translation>
    </message>
    <message>
        <source>%1 Inf</source>
        <translation>Inf %1 個</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>%1, low</source>
        <translation>%1、下限</translation>
    </message>
    <message>
        <source>%1, high</source>
        <translation>%1、上限</translation>
    </message>
    <message>
        <source>Logarithmic axis	L</source>
        <translation>対数軸	L</translation>
    </message>
</context>
<context>
    <name>mofo::LossChart</name>
    <message>
        <source>raw</source>
        <translation>実測値</translation>
    </message>
    <message>
        <source>smoothed</source>
        <translation>平滑化</translation>
    </message>
    <message>
        <source>held out</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Smoothing of the loss curve</source>
        <translation>損失曲線の平滑化</translation>
    </message>
    <message>
        <source>smooth </source>
        <translation>平滑化 </translation>
    </message>
    <message>
        <source>nats/token</source>
        <translation>nat/トークン</translation>
    </message>
    <message>
        <source>guard: held-out loss</source>
        <translation>ガード: 検証損失</translation>
    </message>
    <message>
        <source>guard: above the first</source>
        <translation>ガード: 最初より上</translation>
    </message>
    <message>
        <source>Weight of the past in the thick curve: 0 follows every step, 0.99 is very smooth (S)</source>
        <translation>太線での過去の重み: 0 は各ステップに追従、0.99 は非常に滑らか (S)</translation>
    </message>
    <message>
        <source>The loss of each step, thin</source>
        <translation>各ステップの損失 (細線)</translation>
    </message>
    <message>
        <source>clip p99</source>
        <translation>上位 1 % を除く</translation>
    </message>
    <message>
        <source>Leave the highest hundredth out of the range</source>
        <translation>最も高い 1 % を範囲から外します</translation>
    </message>
    <message>
        <source>Smoothing	S</source>
        <translation>平滑化	S</translation>
    </message>
</context>
<context>
    <name>mofo::MainWindow</name>
    <message>
        <source>Pages</source>
        <translation>ページ</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>page and its shortcut</comment>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>ファイル(&amp;F)</translation>
    </message>
    <message>
        <source>Close window (training goes on)</source>
        <translation>ウィンドウを閉じる（学習は続行）</translation>
    </message>
    <message>
        <source>Quit (training goes on)</source>
        <translation>終了（学習は続行）</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>表示(&amp;V)</translation>
    </message>
    <message>
        <source>Next pane</source>
        <translation>次のペイン</translation>
    </message>
    <message>
        <source>Previous pane</source>
        <translation>前のペイン</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>テーマ</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>デスクトップに合わせる</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>実行(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Chart</source>
        <translation>チャート(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>ヘルプ(&amp;H)</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>キー一覧</translation>
    </message>
    <message>
        <source>About MoFO Workbench</source>
        <translation>MoFO Workbench について</translation>
    </message>
    <message>
        <source>MoFO Workbench</source>
        <translation>MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 of %3 – MoFO Workbench</source>
        <translation>%1、ステップ %2 / %3 – MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 – MoFO Workbench</source>
        <translation>%1、ステップ %2 – MoFO Workbench</translation>
    </message>
    <message>
        <source>In a chart: cursor one step, one tenth of the view</source>
        <translation>チャート: カーソルを 1 ステップ、表示範囲の 1/10 移動</translation>
    </message>
    <message>
        <source>Left/Right, Shift+Left/Right</source>
        <translation>←/→、Shift+←/→</translation>
    </message>
    <message>
        <source>In a chart: first step, newest step</source>
        <translation>チャート: 最初のステップ、最新のステップ</translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation>Home、End</translation>
    </message>
    <message>
        <source>In a chart: zoom in, zoom out, whole run</source>
        <translation>チャート: 拡大、縮小、実行全体</translation>
    </message>
    <message>
        <source>+, -, 0</source>
        <translation>+、-、0</translation>
    </message>
    <message>
        <source>In a chart: follow, logarithmic, copy image</source>
        <translation>チャート: 追従、対数、画像をコピー</translation>
    </message>
    <message>
        <source>F, L, C</source>
        <translation>F、L、C</translation>
    </message>
    <message>
        <source>In a chart: next event, previous event, next NaN</source>
        <translation>チャート: 次のイベント、前のイベント、次の NaN</translation>
    </message>
    <message>
        <source>E, Shift+E, N</source>
        <translation>E、Shift+E、N</translation>
    </message>
    <message>
        <source>On the dial: 1 % and 5 % of the scale, discard</source>
        <translation>ダイヤル: 目盛りの 1 % と 5 %、破棄</translation>
    </message>
    <message>
        <source>Up/Down, PageUp/PageDown, Esc</source>
        <translation>↑/↓、PageUp/PageDown、Esc</translation>
    </message>
    <message>
        <source>Tabs below the charts</source>
        <translation>チャートの下のタブ</translation>
    </message>
    <message>
        <source>Alt+1, Alt+2, Alt+3</source>
        <translation>Alt+1、Alt+2、Alt+3</translation>
    </message>
    <message>
        <source>MoFO Workbench %1

Fine-tunes language models with MoFO and shows what they keep.
This program is under the GNU General Public License, version 3 or later (it uses QCustomPlot).
Qt %2</source>
        <translation>MoFO Workbench %1

MoFO で言語モデルをファインチューニングし、モデルが何を保持するかを示します。
このプログラムには GNU General Public License バージョン 3 以降が適用されます（QCustomPlot を使用しています）。
Qt %2</translation>
    </message>
    <message>
        <source>New run</source>
        <translation>新しい実行</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>比較</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>チャット</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Setup</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Acts on the run</source>
        <translation>実行への操作</translation>
    </message>
    <message>
        <source>Run that the buttons act on</source>
        <translation>ボタンの対象の実行</translation>
    </message>
    <message>
        <source>run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>New twin of this run</source>
        <translation>この実行の双子を作る</translation>
    </message>
    <message>
        <source>Import a model…</source>
        <translation>モデルを取り込む…</translation>
    </message>
    <message>
        <source>Open a workspace…</source>
        <translation>ワークスペースを開く…</translation>
    </message>
    <message>
        <source>Export a checkpoint…</source>
        <translation>チェックポイントを書き出す…</translation>
    </message>
    <message>
        <source>Not in the window yet: `mofo export RUN DIR --format hf` does it.</source>
        <translation>ウィンドウではまだできません。`mofo export RUN DIR --format hf` で行えます。</translation>
    </message>
    <message>
        <source>Export a report…</source>
        <translation>レポートを書き出す…</translation>
    </message>
    <message>
        <source>Reports come with a later version.</source>
        <translation>レポートは今後の版で対応します。</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>編集(&amp;E)</translation>
    </message>
    <message>
        <source>Undo the last act on runs</source>
        <translation>実行への最後の操作を元に戻す</translation>
    </message>
    <message>
        <source>Copy	Ctrl+C</source>
        <translation>コピー	Ctrl+C</translation>
    </message>
    <message>
        <source>Copy as command</source>
        <translation>コマンドとしてコピー</translation>
    </message>
    <message>
        <source>Find in page</source>
        <translation>ページ内を検索</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>文字を大きく</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>文字を小さく</translation>
    </message>
    <message>
        <source>Text as the desktop has it</source>
        <translation>デスクトップの文字サイズ</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>&amp;Tools</source>
        <translation>ツール(&amp;T)</translation>
    </message>
    <message>
        <source>Command palette</source>
        <translation>コマンドパレット</translation>
    </message>
    <message>
        <source>Find  Ctrl+K</source>
        <translation>検索  Ctrl+K</translation>
    </message>
    <message>
        <source>Tasks</source>
        <translation>タスク</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>通知</translation>
    </message>
    <message>
        <source>Doctor</source>
        <translation>診断</translation>
    </message>
    <message>
        <source>Not in the window yet: `mofo doctor` checks this machine.</source>
        <translation>ウィンドウではまだできません。`mofo doctor` がこのマシンを調べます。</translation>
    </message>
    <message>
        <source>Glossary</source>
        <translation>用語集</translation>
    </message>
    <message>
        <source>Copied: %1</source>
        <translation>コピーしました：%1</translation>
    </message>
    <message>
        <source>In the run list: open, select for comparing</source>
        <translation>実行一覧：開く、比較用に選択</translation>
    </message>
    <message>
        <source>Enter, Space</source>
        <translation>Enter、スペース</translation>
    </message>
    <message>
        <source>setting of a new run</source>
        <translation>新しい実行の設定</translation>
    </message>
    <message>
        <source>glossary</source>
        <translation>用語集</translation>
    </message>
    <message>
        <source>%1 rows</source>
        <translation>%1 行</translation>
    </message>
    <message>
        <source>Reading the rows</source>
        <translation>行の読み込み</translation>
    </message>
    <message>
        <source>Starting the run</source>
        <translation>実行の開始</translation>
    </message>
    <message>
        <source>started</source>
        <translation>開始しました</translation>
    </message>
    <message>
        <source>%1 finished at step %2, loss %3</source>
        <translation>%1 がステップ %2 で完了、損失 %3</translation>
    </message>
    <message>
        <source>%1 finished at step %2</source>
        <translation>%1 がステップ %2 で完了</translation>
    </message>
    <message>
        <source>%1 stopped at step %2</source>
        <translation>%1 がステップ %2 で停止</translation>
    </message>
    <message>
        <source>%1 failed at step %2: %3</source>
        <translation>%1 がステップ %2 で失敗：%3</translation>
    </message>
    <message>
        <source>The engine of %1 ended without saying so at step %2</source>
        <translation>%1 のエンジンがステップ %2 で通知なく終了</translation>
    </message>
    <message>
        <source>steps +%1</source>
        <translation>ステップ +%1</translation>
    </message>
    <message>
        <source>loss %1 to %2</source>
        <translation>損失 %1 → %2</translation>
    </message>
    <message>
        <source>checkpoints +%1</source>
        <translation>チェックポイント +%1</translation>
    </message>
    <message>
        <source>guard rails hit: %1</source>
        <translation>ガードレール作動：%1</translation>
    </message>
    <message>
        <source>While you were away (%1), %2: %3.</source>
        <translation>不在の間（%1）、%2：%3。</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>表示</translation>
    </message>
    <message>
        <source>Importing %1</source>
        <translation>%1 の取り込み</translation>
    </message>
    <message>
        <source>%1 is in the workspace, sealed (%2)</source>
        <translation>%1 をワークスペースに封印しました（%2）</translation>
    </message>
    <message>
        <source>Open a workspace</source>
        <translation>ワークスペースを開く</translation>
    </message>
    <message>
        <source>A window on %1 could not be started.</source>
        <translation>%1 のウィンドウを開始できませんでした。</translation>
    </message>
    <message>
        <source>demo</source>
        <comment>name of the demo&apos;s run</comment>
        <translation>デモ</translation>
    </message>
    <message>
        <source>Show a run first: its twin starts with the same values.</source>
        <translation>先に実行を表示してください。双子は同じ値で始まります。</translation>
    </message>
    <message>
        <source>%1-twin</source>
        <comment>name of a twin</comment>
        <translation>%1-twin</translation>
    </message>
    <message>
        <source>Chat with the model before, during and after</source>
        <translation>学習の前・途中・後のモデルとチャット</translation>
    </message>
    <message>
        <source>Up to four columns will answer the same messages here with the same seed: the base, checkpoints, and the model as it trains, with their differences marked token by token. This version has the chat on the command line.</source>
        <translation>ここでは最大 4 列（ベース、チェックポイント、学習中のモデル）が同じシードで同じメッセージに答え、違いをトークン単位で示す予定です。この版のチャットはコマンドラインにあります。</translation>
    </message>
    <message>
        <source>Chat with a model or a checkpoint</source>
        <translation>モデルやチェックポイントとチャット</translation>
    </message>
    <message>
        <source>Ask once</source>
        <translation>一度だけ質問</translation>
    </message>
    <message>
        <source>Models and checkpoints</source>
        <translation>モデルとチェックポイント</translation>
    </message>
    <message>
        <source>Imported models with their runs and checkpoints will stand here: verified, pinned, interpolated with the base, exported. File &gt; Import model seals one into the workspace; the rest is on the command line.</source>
        <translation>取り込んだモデルとその実行・チェックポイントがここに並び、検証、固定、ベースとの補間、書き出しができるようになる予定です。「ファイル &gt; モデルを取り込む」で封印でき、ほかはコマンドラインにあります。</translation>
    </message>
    <message>
        <source>List what is imported</source>
        <translation>取り込んだものの一覧</translation>
    </message>
    <message>
        <source>Verify every hash of a checkpoint</source>
        <translation>チェックポイントの全ハッシュを検証</translation>
    </message>
    <message>
        <source>Export for Transformers</source>
        <translation>Transformers 用に書き出す</translation>
    </message>
    <message>
        <source>Export for llama.cpp</source>
        <translation>llama.cpp 用に書き出す</translation>
    </message>
    <message>
        <source>Setup and doctor</source>
        <translation>設定と診断</translation>
    </message>
    <message>
        <source>Settings, key bindings and the checks of this machine will stand here. Theme, language and text size are in the View menu already; the doctor is on the command line.</source>
        <translation>設定、キー割り当て、マシンの診断がここに入る予定です。テーマ、言語、文字サイズは表示メニューにあり、診断はコマンドラインで行えます。</translation>
    </message>
    <message>
        <source>Check this machine</source>
        <translation>このマシンを調べる</translation>
    </message>
    <message>
        <source>Measure the optimizer step</source>
        <translation>オプティマイザのステップを測る</translation>
    </message>
    <message>
        <source>Recorded runs to look at, offline and without a GPU: nothing here can be changed.</source>
        <translation>見るための記録です。オフラインでも GPU なしでも見られ、ここでは何も変更できません。</translation>
    </message>
    <message>
        <source>Open my workspace</source>
        <translation>自分のワークスペースを開く</translation>
    </message>
    <message>
        <source>Downloading %1</source>
        <translation>%1 をダウンロード中</translation>
    </message>
    <message>
        <source>Cancelled. What has come is kept, and the next download goes on from there.</source>
        <translation>取り消しました。取得済みの分は残り、次のダウンロードはその続きから始まります。</translation>
    </message>
    <message>
        <source>%1 is on this machine (%2)</source>
        <translation>%1 はこのマシンにあります（%2）</translation>
    </message>
    <message>
        <source>Reset the layout</source>
        <translation>レイアウトを元に戻す</translation>
    </message>
    <message>
        <source>tensor of this run</source>
        <translation>この実行のテンソル</translation>
    </message>
    <message>
        <source>Open the recorded runs</source>
        <translation>記録された実行を開く</translation>
    </message>
    <message>
        <source>worked out, nothing is queued yet</source>
        <translation>見積もり済み、まだ何もキューに入っていません</translation>
    </message>
    <message>
        <source>%1: %2 runs are queued</source>
        <translation>%1：%2 件の実行をキューに入れました</translation>
    </message>
    <message>
        <source>The comparison report is written: %1</source>
        <translation>比較レポートを書きました：%1</translation>
    </message>
</context>
<context>
    <name>mofo::MapChart</name>
    <message>
        <source>Selection</source>
        <translation>選択マップ</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>share that moved, by layer</source>
        <translation>更新された割合（層別）</translation>
    </message>
    <message>
        <source>distance from the pretrained weights, by layer</source>
        <translation>事前学習済みの重みからの距離（層別）</translation>
    </message>
    <message>
        <source>step %1 · %2 · %3 · rank %4 of %5</source>
        <translation>ステップ %1 · %2 · %3 · 順位 %4 / %5</translation>
    </message>
    <message>
        <source> · not filtered</source>
        <translation> · フィルター対象外</translation>
    </message>
    <message>
        <source>step %1 · %2 of the model moved</source>
        <translation>ステップ %1 · モデルの %2 が更新</translation>
    </message>
    <message>
        <source>step %1 · whole model %2, relative L2</source>
        <translation>ステップ %1 · モデル全体 %2、相対 L2</translation>
    </message>
    <message>
        <source>moved share</source>
        <translation>動いた割合</translation>
    </message>
    <message>
        <source>mask share</source>
        <translation>マスクの割合</translation>
    </message>
    <message>
        <source>threshold of |m|</source>
        <translation>|m| のしきい値</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>一度でも動いた</translation>
    </message>
    <message>
        <source>concentration</source>
        <translation>集中度</translation>
    </message>
    <message>
        <source>relative L2</source>
        <translation>相対 L2</translation>
    </message>
    <message>
        <source>L2</source>
        <translation>L2</translation>
    </message>
    <message>
        <source>L1</source>
        <translation>L1</translation>
    </message>
    <message>
        <source>largest change (L∞)</source>
        <translation>最大の変化 (L∞)</translation>
    </message>
    <message>
        <source>changed, fp32</source>
        <translation>変化した割合 (fp32)</translation>
    </message>
    <message>
        <source>changed, as bf16</source>
        <translation>変化した割合 (bf16)</translation>
    </message>
    <message>
        <source>%1: measure</source>
        <translation>%1: 量</translation>
    </message>
    <message>
        <source>How far a row is from its pretrained weights</source>
        <translation>各行が事前学習の重みからどれだけ離れたか</translation>
    </message>
    <message>
        <source>Moved: selected, and momentum not zero. Mask: selected. Concentration: share of the update over share of the size.</source>
        <translation>動いた: 選択され、モメンタムが 0 でない。マスク: 選択された。集中度: 更新量の割合 ÷ 大きさの割合。</translation>
    </message>
    <message>
        <source>Rows of both maps</source>
        <translation>両マップの行</translation>
    </message>
    <message>
        <source>rows: layers</source>
        <translation>行: 層</translation>
    </message>
    <message>
        <source>rows: kinds</source>
        <translation>行: 種類</translation>
    </message>
    <message>
        <source> · idle rows</source>
        <translation> · 動かない行あり</translation>
    </message>
    <message>
        <source>Open or close the row	Enter</source>
        <translation>行を開く・閉じる	Enter</translation>
    </message>
    <message>
        <source>Close all rows</source>
        <translation>すべての行を閉じる</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>量</translation>
    </message>
</context>
<context>
    <name>mofo::MemoryBar</name>
    <message>
        <source>weights</source>
        <translation>重み</translation>
    </message>
    <message>
        <source>host copies</source>
        <translation>ホストの写し</translation>
    </message>
    <message>
        <source>gradients</source>
        <translation>勾配</translation>
    </message>
    <message>
        <source>m (1st moment)</source>
        <translation>m（1 次モーメント）</translation>
    </message>
    <message>
        <source>v (2nd moment)</source>
        <translation>v（2 次モーメント）</translation>
    </message>
    <message>
        <source>pretrained copy</source>
        <translation>事前学習の写し</translation>
    </message>
    <message>
        <source>selection</source>
        <translation>選択</translation>
    </message>
    <message>
        <source>mask statistics</source>
        <translation>マスク統計</translation>
    </message>
    <message>
        <source>activations</source>
        <translation>活性</translation>
    </message>
    <message>
        <source>logits</source>
        <translation>ロジット</translation>
    </message>
    <message>
        <source>reserve</source>
        <translation>予備</translation>
    </message>
    <message>
        <source>Memory forecast</source>
        <translation>メモリ予測</translation>
    </message>
    <message>
        <source>✓ fits</source>
        <translation>✓ 収まる</translation>
    </message>
    <message>
        <source>⚠ tight</source>
        <translation>⚠ ぎりぎり</translation>
    </message>
    <message>
        <source>✗ does not fit</source>
        <translation>✗ 収まらない</translation>
    </message>
    <message>
        <source>The forecast appears once a model is chosen.</source>
        <translation>モデルを選ぶと予測が表示されます。</translation>
    </message>
    <message>
        <source>%1 (host memory)</source>
        <translation>%1（ホストメモリ）</translation>
    </message>
</context>
<context>
    <name>mofo::MessageBar</name>
    <message>
        <source>Message</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>What can be done</source>
        <translation>可能な操作</translation>
    </message>
</context>
<context>
    <name>mofo::NewRunController</name>
    <message>
        <source>This model has no tokenizer, so no data can be trained on with it.</source>
        <translation>このモデルにはトークナイザがなく、データを学習できません。</translation>
    </message>
    <message>
        <source>Choose a model.</source>
        <translation>モデルを選んでください。</translation>
    </message>
    <message>
        <source>Choose training data.</source>
        <translation>学習データを選んでください。</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>field, what is wrong</comment>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>The disk is too small for the last checkpoint: it needs %1, %2 are free.</source>
        <translation>最後のチェックポイントにはディスクが足りません。必要 %1、空き %2。</translation>
    </message>
    <message>
        <source>Memory is tight: %1 of %2 free. A smaller micro-batch needs less.</source>
        <translation>メモリがぎりぎりです：空き %2 のうち %1。マイクロバッチを小さくすると減ります。</translation>
    </message>
    <message>
        <source>The forecast does not fit: %1 of %2 free. Lower the micro-batch or the longest row.</source>
        <translation>予測が収まりません：空き %2 に対し %1。マイクロバッチか行の最大長を下げてください。</translation>
    </message>
    <message>
        <source>Rows left out, as they cannot be read: %1</source>
        <translation>読めずに除いた行：%1</translation>
    </message>
    <message>
        <source>Rows with nothing to train on: %1</source>
        <translation>学習対象のない行：%1</translation>
    </message>
    <message>
        <source>Rows cut at %1 tokens: %2</source>
        <translation>%1 トークンで切り詰めた行：%2</translation>
    </message>
    <message>
        <source>Rows whose text spells a special token: %1</source>
        <translation>本文に特殊トークンが書かれた行：%1</translation>
    </message>
    <message>
        <source>Held-out rows that are training rows too, so that their loss says nothing about unseen data: %1</source>
        <translation>学習行でもある評価行（未知データの損失とは言えません）：%1</translation>
    </message>
    <message>
        <source>%1 is busy with %2: the run would wait its turn.</source>
        <translation>%1 は %2 を実行中です。順番待ちになります。</translation>
    </message>
    <message>
        <source>The run is being started.</source>
        <translation>実行を開始しています。</translation>
    </message>
    <message>
        <source>The model is being read.</source>
        <translation>モデルを読み込んでいます。</translation>
    </message>
    <message>
        <source>The data is being read.</source>
        <translation>データを読み込んでいます。</translation>
    </message>
    <message>
        <source>%1 is busy with %2. Add the run to the queue instead.</source>
        <translation>%1 は %2 を実行中です。キューに追加してください。</translation>
    </message>
    <message>
        <source>settings changed: %1</source>
        <translation>変更した設定：%1</translation>
    </message>
    <message>
        <source>The data file changed since it was read: it is read again. Start once more when the counts are right.</source>
        <translation>読み込み後にデータファイルが変わったため、読み直します。集計が正しければもう一度開始してください。</translation>
    </message>
    <message>
        <source>checking</source>
        <translation>確認中</translation>
    </message>
    <message>
        <source>This workspace is a recording that nobody changes: start the run in a workspace of yours.</source>
        <translation>このワークスペースは変更できない記録です。実行は自分のワークスペースで開始してください。</translation>
    </message>
    <message>
        <source>The Hub is being asked for %1.</source>
        <translation>Hub に %1 を問い合わせています。</translation>
    </message>
    <message>
        <source>%1 is to be downloaded first.</source>
        <translation>先に %1 をダウンロードしてください。</translation>
    </message>
    <message>
        <source>%1 is being downloaded.</source>
        <translation>%1 をダウンロードしています。</translation>
    </message>
</context>
<context>
    <name>mofo::NewRunPage</name>
    <message>
        <source>New run</source>
        <translation>新しい実行</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>概要</translation>
    </message>
    <message>
        <source>A draft was kept: %1.</source>
        <translation>下書きがあります：%1。</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>復元</translation>
    </message>
    <message>
        <source>Start the new run</source>
        <translation>新しい実行を開始</translation>
    </message>
    <message>
        <source>Add the new run to the queue</source>
        <translation>新しい実行をキューに追加</translation>
    </message>
    <message>
        <source>Next problem row</source>
        <translation>次の問題の行</translation>
    </message>
    <message>
        <source>Previous problem row</source>
        <translation>前の問題の行</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>プリセット</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>名前を付けて保存…</translation>
    </message>
    <message>
        <source>Save the settings as a preset</source>
        <translation>設定をプリセットとして保存</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>プリセットの名前</translation>
    </message>
    <message>
        <source>name, Enter saves</source>
        <translation>名前（Enter で保存）</translation>
    </message>
    <message>
        <source>Show all settings</source>
        <translation>すべての設定を表示</translation>
    </message>
    <message>
        <source>Find a setting</source>
        <translation>設定を検索</translation>
    </message>
    <message>
        <source>What a step moves</source>
        <translation>1 ステップで動くもの</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Notes on the model</source>
        <translation>モデルについて</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>The command that starts the same run</source>
        <translation>同じ実行を始めるコマンド</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>コマンドをコピー</translation>
    </message>
    <message>
        <source>No setting matches “%1”.</source>
        <translation>「%1」に一致する設定はありません。</translation>
    </message>
    <message>
        <source>%1 changed</source>
        <translation>%1 件変更</translation>
    </message>
    <message>
        <source>%1 layers</source>
        <translation>%1 層</translation>
    </message>
    <message>
        <source>%1 parameters</source>
        <translation>%1 パラメータ</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <comment>size of the vocabulary</comment>
        <translation>%1 トークン</translation>
    </message>
    <message>
        <source>no chat template</source>
        <translation>チャットテンプレートなし</translation>
    </message>
    <message>
        <source>Weights are dequantised from %1; drift is measured against those.</source>
        <translation>重みは %1 から逆量子化され、ドリフトはそれを基準に測ります。</translation>
    </message>
    <message>
        <source>In the workspace, sealed.</source>
        <translation>ワークスペースに封印済み。</translation>
    </message>
    <message>
        <source>The start copies it into the workspace and seals it.</source>
        <translation>開始時にワークスペースに写して封印します。</translation>
    </message>
    <message>
        <source>No licence file beside it.</source>
        <translation>ライセンスファイルはありません。</translation>
    </message>
    <message>
        <source>Licence: %1.</source>
        <translation>ライセンス：%1。</translation>
    </message>
    <message>
        <source>%1 of %2 filtered coordinates move per step, in %3 partitions; %4 tensors are not filtered.</source>
        <translation>選別対象 %2 座標のうち %1 が 1 ステップで動きます（%3 パーティション、選別しないテンソル %4）。</translation>
    </message>
    <message>
        <source>Defaults</source>
        <translation>既定値</translation>
    </message>
    <message>
        <source>Licence: %1, as the Hub says.</source>
        <translation>ライセンス：%1（Hub の記載）。</translation>
    </message>
</context>
<context>
    <name>mofo::NoticesPopover</name>
    <message>
        <source>Notifications</source>
        <translation>通知</translation>
    </message>
    <message>
        <source>Nothing has happened since this window was opened.</source>
        <translation>このウィンドウを開いてから何も起きていません。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>開く</translation>
    </message>
    <message>
        <source>Open the run</source>
        <translation>実行を開く</translation>
    </message>
</context>
<context>
    <name>mofo::OverlayChart</name>
    <message>
        <source>Overlay</source>
        <translation>重ね描き</translation>
    </message>
    <message>
        <source>Compared series</source>
        <translation>比較する系列</translation>
    </message>
    <message>
        <source>What of the runs is drawn</source>
        <translation>実行の何を描くか</translation>
    </message>
    <message>
        <source>Smoothing of the curves</source>
        <translation>曲線の平滑化</translation>
    </message>
    <message>
        <source>Weight of the past in the curves: 0 follows every step, 0.99 is very smooth (S)</source>
        <translation>曲線における過去の重み: 0 は各ステップに従い、0.99 はとても滑らかです（S）</translation>
    </message>
    <message>
        <source>smooth </source>
        <translation>平滑化 </translation>
    </message>
    <message>
        <source>raw</source>
        <translation>実測値</translation>
    </message>
    <message>
        <source>The stored values, thin, beneath the smoothed ones</source>
        <translation>平滑化した線の下に、保存された値を細く描きます</translation>
    </message>
    <message>
        <source>clip p99</source>
        <translation>上位 1 % を除く</translation>
    </message>
    <message>
        <source>Leave the highest hundredth out of the range</source>
        <translation>最も高い 1 % を範囲から外します</translation>
    </message>
    <message>
        <source>No run has stored this yet.</source>
        <translation>これを保存した実行はまだありません。</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>epoch %1</source>
        <translation>エポック %1</translation>
    </message>
    <message>
        <source>token %1</source>
        <translation>トークン %1</translation>
    </message>
    <message>
        <source>after %1</source>
        <comment>time</comment>
        <translation>%1後</translation>
    </message>
    <message>
        <source>after %1 of training</source>
        <comment>time</comment>
        <translation>学習 %1後</translation>
    </message>
    <message>
        <source>newest</source>
        <translation>最新</translation>
    </message>
    <message>
        <source>smoothed %1</source>
        <translation>平滑化 %1</translation>
    </message>
    <message>
        <source>low</source>
        <translation>下限</translation>
    </message>
    <message>
        <source>high</source>
        <translation>上限</translation>
    </message>
    <message>
        <source>reading …</source>
        <translation>読み込み中 …</translation>
    </message>
</context>
<context>
    <name>mofo::Popover</name>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>mofo::ProbeTableModel</name>
    <message>
        <source>%1 … %2</source>
        <comment>95 % interval</comment>
        <translation>%1 … %2</translation>
    </message>
    <message>
        <source>Probe</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>量</translation>
    </message>
    <message>
        <source>Base</source>
        <translation>元</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>現在</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差</translation>
    </message>
    <message>
        <source>95 % interval</source>
        <translation>95 % 区間</translation>
    </message>
    <message>
        <source>Items</source>
        <translation>問題数</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>費用</translation>
    </message>
    <message>
        <source>Last step</source>
        <translation>最終ステップ</translation>
    </message>
</context>
<context>
    <name>mofo::ProbesChart</name>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>difference to the base</source>
        <translation>元との差</translation>
    </message>
    <message>
        <source>No probe has been measured in this run. Probes ask the model the same questions while it trains, and show what it forgets.</source>
        <translation>この実行ではまだプローブを測っていません。プローブは学習中のモデルに同じ問いを出し、忘却を示します。</translation>
    </message>
    <message>
        <source>base</source>
        <translation>元</translation>
    </message>
</context>
<context>
    <name>mofo::RewindDialog</name>
    <message>
        <source>Undo to a checkpoint</source>
        <translation>チェックポイントまで戻す</translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Held out</source>
        <translation>検証損失</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大きさ</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>検証済み</translation>
    </message>
    <message>
        <source>What would be taken back</source>
        <translation>取り消される内容</translation>
    </message>
    <message>
        <source>Rewind</source>
        <translation>巻き戻す</translation>
    </message>
    <message>
        <source>Rewind to the chosen checkpoint</source>
        <translation>選んだチェックポイントへ巻き戻す</translation>
    </message>
    <message>
        <source>✓ read back</source>
        <translation>✓ 読み戻し済み</translation>
    </message>
    <message>
        <source>no</source>
        <translation>いいえ</translation>
    </message>
    <message>
        <source>This run has no checkpoint to go back to. Ctrl+S writes one at the next step.</source>
        <translation>戻れるチェックポイントがありません。Ctrl+S で次のステップに書き出せます。</translation>
    </message>
    <message>
        <source>Nothing has been done since step %1.</source>
        <translation>ステップ %1 の後は何も行われていません。</translation>
    </message>
    <message>
        <source>Steps %1 to %2 are taken back</source>
        <translation>ステップ %1 から %2 までを取り消します</translation>
    </message>
    <message>
        <source>. They stay on the charts, hatched; training goes on from step %1. To keep both lines, branch instead.</source>
        <translation>。グラフには斜線で残り、学習はステップ %1 から続きます。両方を残すには分岐してください。</translation>
    </message>
    <message>
        <source>, with live changes: %1</source>
        <translation>、実行中の変更 %1 件を含む</translation>
    </message>
    <message>
        <source>, with checkpoints: %1</source>
        <translation>、チェックポイント %1 個を含む</translation>
    </message>
</context>
<context>
    <name>mofo::RunActs</name>
    <message>
        <source>Taken back: %1</source>
        <translation>元に戻しました：%1</translation>
    </message>
    <message>
        <source>%1 is pinned</source>
        <translation>%1 を固定しました</translation>
    </message>
    <message>
        <source>%1 is not pinned any more</source>
        <translation>%1 の固定を外しました</translation>
    </message>
    <message>
        <source>%1 is the baseline</source>
        <translation>%1 を基準にしました</translation>
    </message>
    <message>
        <source>%1 is not the baseline any more</source>
        <translation>%1 を基準から外しました</translation>
    </message>
    <message>
        <source>Renamed to %1</source>
        <translation>%1 に改名しました</translation>
    </message>
    <message>
        <source>Note of %1 changed</source>
        <translation>%1 のメモを変更しました</translation>
    </message>
    <message>
        <source>Tags of %1 changed</source>
        <translation>%1 のタグを変更しました</translation>
    </message>
    <message>
        <source>%1 is %2 and cannot go to the trash: stop it first.</source>
        <translation>%1 は%2のためゴミ箱に入れられません。先に停止してください。</translation>
    </message>
    <message>
        <source>%1 is in the trash</source>
        <translation>%1 をゴミ箱に入れました</translation>
    </message>
    <message>
        <source>Runs put into the trash: %1</source>
        <translation>ゴミ箱に入れた実行：%1</translation>
    </message>
    <message>
        <source>%1 goes on</source>
        <translation>%1 を再開します</translation>
    </message>
    <message>
        <source>%1 branches from %2 at step %3</source>
        <translation>%1 は %2 のステップ %3 から分岐します</translation>
    </message>
</context>
<context>
    <name>mofo::RunChip</name>
    <message>
        <source>being read</source>
        <translation>読み込み中</translation>
    </message>
    <message>
        <source>running: read once a second</source>
        <translation>実行中: 毎秒読み込みます</translation>
    </message>
    <message>
        <source>read</source>
        <translation>読み込み済み</translation>
    </message>
    <message>
        <source>Run %1, the baseline: %2</source>
        <translation>実行 %1（基準）: %2</translation>
    </message>
    <message>
        <source>Run %1: %2</source>
        <translation>実行 %1: %2</translation>
    </message>
    <message>
        <source> (baseline)</source>
        <translation>（基準）</translation>
    </message>
    <message>
        <source>Click or Space shows and hides it, Del removes it, A or B makes it first or second of the pair</source>
        <translation>クリックまたは Space で表示と非表示、Del で取り除き、A または B で組の 1 番目か 2 番目にします</translation>
    </message>
    <message>
        <source>Make it A, the baseline	A</source>
        <translation>A（基準）にする	A</translation>
    </message>
    <message>
        <source>Make it B, the other of the pair	B</source>
        <translation>B（組の相手）にする	B</translation>
    </message>
    <message>
        <source>Open the run	Return</source>
        <translation>実行を開く	Return</translation>
    </message>
    <message>
        <source>Remove from the comparison	Del</source>
        <translation>比較から取り除く	Del</translation>
    </message>
</context>
<context>
    <name>mofo::RunChips</name>
    <message>
        <source>Compared runs</source>
        <translation>比較中の実行</translation>
    </message>
    <message>
        <source>Add a run to the comparison</source>
        <translation>比較に実行を追加</translation>
    </message>
    <message>
        <source>+ Add</source>
        <translation>＋ 追加</translation>
    </message>
    <message>
        <source>Add a run to the comparison, up to %1</source>
        <translation>比較に実行を追加します（最大 %1 件）</translation>
    </message>
    <message>
        <source>%1 runs are the most that can be compared</source>
        <translation>比較できる実行は最大 %1 件です</translation>
    </message>
</context>
<context>
    <name>mofo::RunChooser</name>
    <message>
        <source>Runs that can be added</source>
        <translation>追加できる実行</translation>
    </message>
    <message>
        <source>Find runs</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Find a run</source>
        <translation>実行を検索</translation>
    </message>
</context>
<context>
    <name>mofo::RunData</name>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>層 %1</translation>
    </message>
    <message>
        <source>final norm</source>
        <translation>最終正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
    <message>
        <source>%1: %2 → %3</source>
        <comment>config key: old to new value</comment>
        <translation>%1: %2 → %3</translation>
    </message>
</context>
<context>
    <name>mofo::RunHeader</name>
    <message>
        <source>The run on screen</source>
        <translation>表示中の実行</translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation>実行の名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>完了したステップ</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>フェーズ</translation>
    </message>
    <message>
        <source>No run</source>
        <translation>実行なし</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>ステップ %1 / %2</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>Pausing …</source>
        <translation>一時停止処理中…</translation>
    </message>
    <message>
        <source>Resuming …</source>
        <translation>再開処理中…</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>%1 (F9)</source>
        <translation>%1（F9）</translation>
    </message>
    <message>
        <source>This run has ended: nothing to pause or resume</source>
        <translation>この実行は終了しています: 一時停止も再開もできません</translation>
    </message>
    <message>
        <source>Stopping …</source>
        <translation>停止処理中…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop after this step, with a checkpoint (Shift+F9)</source>
        <translation>このステップの後でチェックポイントを保存して停止します（Shift+F9）</translation>
    </message>
    <message>
        <source>Nothing to stop</source>
        <translation>停止できる実行はありません</translation>
    </message>
    <message>
        <source>epoch %1 of %2</source>
        <translation>エポック %1 / %2</translation>
    </message>
    <message>
        <source>epoch %1</source>
        <translation>エポック %1</translation>
    </message>
    <message>
        <source>best held out %1 @%2</source>
        <translation>検証損失の最良 %1 @%2</translation>
    </message>
    <message>
        <source>exact</source>
        <translation>厳密</translation>
    </message>
    <message>
        <source>not exact: %1</source>
        <translation>厳密でない: %1</translation>
    </message>
    <message>
        <source>No engine is at work on this run</source>
        <translation>この実行で動いているエンジンはありません</translation>
    </message>
    <message>
        <source>A checkpoint is on its way</source>
        <translation>チェックポイントを待っています</translation>
    </message>
    <message>
        <source>Write a checkpoint after this step (Ctrl+S)</source>
        <translation>このステップの後にチェックポイントを書く (Ctrl+S)</translation>
    </message>
    <message>
        <source>An evaluation is on its way</source>
        <translation>評価を待っています</translation>
    </message>
    <message>
        <source>Measure the held-out rows after this step (F8)</source>
        <translation>このステップの後に検証用の行を測る (F8)</translation>
    </message>
    <message>
        <source>Go back to a checkpoint (Ctrl+Alt+Z)</source>
        <translation>チェックポイントまで戻る (Ctrl+Alt+Z)</translation>
    </message>
    <message>
        <source>Start a child run from a checkpoint (Ctrl+B)</source>
        <translation>チェックポイントから子の実行を始める (Ctrl+B)</translation>
    </message>
</context>
<context>
    <name>mofo::RunPage</name>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Apply staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Lower alpha (stages)</source>
        <translation>α を下げる（保留）</translation>
    </message>
    <message>
        <source>Raise alpha (stages)</source>
        <translation>α を上げる（保留）</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>追従</translation>
    </message>
    <message>
        <source>Keep the newest step in view (F in a chart)</source>
        <translation>常に最新のステップを表示します（チャートでは F）</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>全体</translation>
    </message>
    <message>
        <source>Show the whole run (0 in a chart)</source>
        <translation>実行全体を表示します（チャートでは 0）</translation>
    </message>
    <message>
        <source>Bottom panel</source>
        <translation>下部パネル</translation>
    </message>
    <message>
        <source>Step panel</source>
        <translation>ステップパネル</translation>
    </message>
    <message>
        <source>Progress of the phase</source>
        <translation>フェーズの進行状況</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>The engine of this run ended without saying so at step %1.</source>
        <translation>この実行のエンジンは、ステップ %1 で終了を報告せずに終わりました。</translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation>理由は示されていません</translation>
    </message>
    <message>
        <source>This run failed at step %1: %2</source>
        <translation>この実行はステップ %1 で失敗しました: %2</translation>
    </message>
    <message>
        <source>This run was stopped at step %1.</source>
        <translation>この実行はステップ %1 で停止されました。</translation>
    </message>
    <message>
        <source>No news from the engine for %1. It may be busy or stopped; changes wait until it answers.</source>
        <translation>エンジンからの報告が %1 ありません。処理中か、停止している可能性があります。変更は応答があるまで保留されます。</translation>
    </message>
    <message>
        <source>Turn alpha now: drag the dial or press Ctrl+[ / Ctrl+], then Apply (Ctrl+Return).</source>
        <translation>α を今すぐ調整できます: ダイヤルをドラッグするか Ctrl+[ / Ctrl+] を押し、「適用」（Ctrl+Return）で送信します。</translation>
    </message>
    <message>
        <source>No run is shown. Choose one on page Runs (Ctrl+1).</source>
        <translation>表示中の実行はありません。「実行一覧」ページ（Ctrl+1）で選択してください。</translation>
    </message>
    <message>
        <source>Reading the run …</source>
        <translation>実行を読み込み中…</translation>
    </message>
    <message>
        <source>Queued: starts when the device is free.</source>
        <translation>待機中: デバイスが空き次第開始します。</translation>
    </message>
    <message>
        <source>starting: %1 …</source>
        <comment>phase</comment>
        <translation>開始処理中: %1…</translation>
    </message>
    <message>
        <source>starting: the engine has not reported yet …</source>
        <translation>開始処理中: エンジンからの報告はまだありません…</translation>
    </message>
    <message>
        <source>What was done</source>
        <translation>行ったこと</translation>
    </message>
    <message>
        <source>The child run %1 is queued; it is listed below this run on page Runs.</source>
        <translation>子の実行 %1 を待ち行列に入れました。「実行一覧」ページでこの実行の下に並びます。</translation>
    </message>
    <message>
        <source>Apply staged changes at a step …</source>
        <translation>準備中の変更をステップ指定で適用…</translation>
    </message>
    <message>
        <source>Undo the newest change</source>
        <translation>直近の変更を取り消す</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Probe now</source>
        <translation>今すぐ評価</translation>
    </message>
    <message>
        <source>Undo to …</source>
        <translation>戻す…</translation>
    </message>
    <message>
        <source>Branch</source>
        <translation>分岐</translation>
    </message>
    <message>
        <source>Stop without saving</source>
        <translation>保存せずに停止</translation>
    </message>
    <message>
        <source>This chart alone</source>
        <translation>このグラフだけ</translation>
    </message>
    <message>
        <source>What the x axis counts</source>
        <translation>x 軸の単位</translation>
    </message>
    <message>
        <source>What the x axis of all charts counts</source>
        <translation>全グラフの x 軸の単位</translation>
    </message>
    <message>
        <source>x: step</source>
        <translation>x: ステップ</translation>
    </message>
    <message>
        <source>x: epoch</source>
        <translation>x: エポック</translation>
    </message>
    <message>
        <source>x: tokens</source>
        <translation>x: トークン</translation>
    </message>
    <message>
        <source>x: time</source>
        <translation>x: 時間</translation>
    </message>
    <message>
        <source>Which charts are shown</source>
        <translation>表示するグラフ</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>グラフ</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>そのまま</translation>
    </message>
    <message>
        <source>Keep the change</source>
        <translation>変更をそのままにする</translation>
    </message>
    <message>
        <source>%1 went %2 → %3</source>
        <comment>config key, old and new value</comment>
        <translation>%1 を %2 → %3 に変更</translation>
    </message>
    <message>
        <source>%1 at step %2.</source>
        <translation>%1 (ステップ %2)。</translation>
    </message>
    <message>
        <source>Set back to %1, from the next step</source>
        <translation>次のステップから %1 に戻す</translation>
    </message>
    <message>
        <source>Rewind to %1</source>
        <translation>%1 へ巻き戻す</translation>
    </message>
    <message>
        <source>No checkpoint before it</source>
        <translation>それ以前のチェックポイントなし</translation>
    </message>
    <message>
        <source>There is no live change to take back.</source>
        <translation>取り消せる変更がありません。</translation>
    </message>
    <message>
        <source>There is no checkpoint to go on from.</source>
        <translation>続行できるチェックポイントがありません。</translation>
    </message>
    <message>
        <source>Nothing after checkpoint %1 is kept.</source>
        <translation>チェックポイント %1 より後は残りません。</translation>
    </message>
    <message>
        <source>Go on with micro-batch %1</source>
        <translation>マイクロバッチ %1 で続ける</translation>
    </message>
    <message>
        <source>Take back the change</source>
        <translation>変更を取り消す</translation>
    </message>
    <message>
        <source>There is no checkpoint: Resume starts again, with the changes at their steps.</source>
        <translation>チェックポイントがありません。「再開」は最初からやり直し、変更は元のステップで適用されます。</translation>
    </message>
    <message>
        <source>Resume goes on from checkpoint %1.</source>
        <translation>「再開」はチェックポイント %1 から続けます。</translation>
    </message>
    <message>
        <source>Lost at step %1: %2.</source>
        <translation>ステップ %1 で失われました: %2。</translation>
    </message>
</context>
<context>
    <name>mofo::RunStrip</name>
    <message>
        <source>About the run</source>
        <translation>実行について</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>note</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>タグ</translation>
    </message>
    <message>
        <source>tags, with commas</source>
        <translation>タグ（コンマ区切り）</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>開く</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Twin</source>
        <translation>双子</translation>
    </message>
    <message>
        <source>Branch</source>
        <translation>分岐</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>ゴミ箱</translation>
    </message>
    <message>
        <source>A new run with the same values, to change one of them</source>
        <translation>同じ値の新しい実行（一つを変えるため）</translation>
    </message>
    <message>
        <source>A new run from the newest checkpoint</source>
        <translation>最新のチェックポイントからの新しい実行</translation>
    </message>
    <message>
        <source>No run chosen</source>
        <translation>実行が選ばれていません</translation>
    </message>
    <message>
        <source>Goes on from the newest checkpoint</source>
        <translation>最新のチェックポイントから再開します</translation>
    </message>
    <message>
        <source>Only a run that was stopped, failed or lost can go on</source>
        <translation>停止・失敗・消失した実行だけが再開できます</translation>
    </message>
    <message>
        <source>Files stay for 7 days; Ctrl+Z takes it back</source>
        <translation>ファイルは 7 日間残ります。Ctrl+Z で元に戻せます</translation>
    </message>
    <message>
        <source>A run that is not over cannot go to the trash: stop it first</source>
        <translation>終わっていない実行はゴミ箱に入れられません。先に停止してください</translation>
    </message>
    <message>
        <source>checkpoints: %1, %2</source>
        <translation>チェックポイント：%1 個、%2</translation>
    </message>
    <message>
        <source>no checkpoint</source>
        <translation>チェックポイントなし</translation>
    </message>
    <message>
        <source>branch from step %1</source>
        <translation>ステップ %1 から分岐</translation>
    </message>
</context>
<context>
    <name>mofo::RunSummaryPanel</name>
    <message>
        <source>Summary</source>
        <translation>概要</translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation>実行の名前</translation>
    </message>
    <message>
        <source>name: made from model and α</source>
        <translation>名前（モデルと α から自動）</translation>
    </message>
    <message>
        <source>Rows and steps</source>
        <translation>行とステップ</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>時間</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Memory forecast</source>
        <translation>メモリ予測</translation>
    </message>
    <message>
        <source>Whether the forecast fits</source>
        <translation>予測が収まるか</translation>
    </message>
    <message>
        <source>What the forecast reckons with</source>
        <translation>予測の前提</translation>
    </message>
    <message>
        <source>Progress of the start</source>
        <translation>開始の進み具合</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取り消す</translation>
    </message>
    <message>
        <source>Cancel the start</source>
        <translation>開始を取り消す</translation>
    </message>
    <message>
        <source>Start now</source>
        <translation>今すぐ開始</translation>
    </message>
    <message>
        <source>Add to queue</source>
        <translation>キューに追加</translation>
    </message>
    <message>
        <source>%1 rows, %2 steps</source>
        <translation>%1 行、%2 ステップ</translation>
    </message>
    <message>
        <source>%1 rows, epochs %2 = %3 steps</source>
        <translation>%1 行、%2 エポック = %3 ステップ</translation>
    </message>
    <message>
        <source>, %1 rows held out</source>
        <translation>、評価用 %1 行</translation>
    </message>
    <message>
        <source> (still counting)</source>
        <translation>（集計中）</translation>
    </message>
    <message>
        <source>Rows and steps appear once model and data are chosen.</source>
        <translation>モデルとデータを選ぶと行数とステップ数が表示されます。</translation>
    </message>
    <message>
        <source>about %1 at %2 tokens/s, as measured on %3</source>
        <translation>約 %1（%2 トークン/秒、%3 の実測）</translation>
    </message>
    <message>
        <source>Time: known after the first run of this model here.</source>
        <translation>時間：ここでこのモデルを一度実行すると分かります。</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>device, its name</comment>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>%1 of %2 free</source>
        <translation>空き %2 のうち %1</translation>
    </message>
    <message>
        <source>Computed from shapes, for the longest micro-batch: %1 rows, %2 tokens.</source>
        <translation>形状から計算。最長のマイクロバッチ：%1 行、%2 トークン。</translation>
    </message>
    <message>
        <source>Computed from shapes, for %1 rows of %2 tokens (max_length).</source>
        <translation>形状から計算。%1 行 × %2 トークン（max_length）。</translation>
    </message>
    <message>
        <source>Ctrl+Return</source>
        <translation>Ctrl+Return</translation>
    </message>
    <message>
        <source>Ctrl+Shift+Return</source>
        <translation>Ctrl+Shift+Return</translation>
    </message>
    <message>
        <source>The device is free: the run can start now.</source>
        <translation>デバイスは空いています。今すぐ開始できます。</translation>
    </message>
    <message>
        <source>✓ Nothing stands in the way</source>
        <translation>✓ 問題はありません</translation>
    </message>
    <message>
        <source>Errors: %1, warnings: %2</source>
        <translation>エラー：%1、警告：%2</translation>
    </message>
    <message>
        <source>Compare with AdamW…</source>
        <translation>AdamW と比べる…</translation>
    </message>
    <message>
        <source>Compare with AdamW</source>
        <translation>AdamW と比べる</translation>
    </message>
    <message>
        <source>AdamW, and MoFO at 5 % and 15 %, with everything else as it stands here: same rows, same order, same probes. Time and disk are said first; a report is written when all have ended.</source>
        <translation>AdamW と、5 % と 15 % の MoFO を、ほかはこのままの設定で走らせます。同じ行、同じ順序、同じプローブです。先に時間とディスクを示し、すべて終わるとレポートを書きます。</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>今はしない</translation>
    </message>
    <message>
        <source>Queue nothing</source>
        <translation>何もキューに入れない</translation>
    </message>
    <message>
        <source>%1 steps in all, about %2 one after another (%3)</source>
        <translation>全部で %1 ステップ、順に走らせて約 %2（%3）</translation>
    </message>
    <message>
        <source>%1 steps in all; the time is not known yet</source>
        <translation>全部で %1 ステップ。時間はまだ分かりません</translation>
    </message>
    <message>
        <source>%1 of checkpoints stay; %2 are free</source>
        <translation>チェックポイントが %1 残ります。空きは %2 です</translation>
    </message>
    <message>
        <source>They are queued as a group; a comparison report is written when all have ended.</source>
        <translation>一つのまとまりとしてキューに入ります。すべて終わると比較レポートを書きます。</translation>
    </message>
    <message>
        <source>Queue all %1</source>
        <translation>%1 件すべてをキューに入れる</translation>
    </message>
    <message>
        <source>Queue all runs of the comparison</source>
        <translation>比較の実行をすべてキューに入れる</translation>
    </message>
</context>
<context>
    <name>mofo::RunTableModel</name>
    <message>
        <source>%1 / %2</source>
        <comment>step of total</comment>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>Run %1
%2</source>
        <translation>実行 %1
%2</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates that may move at each step</source>
        <translation>各ステップで更新を許すフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>How the filtered parameters are divided; each part selects on its own</source>
        <translation>フィルター対象パラメーターの分割方法。各部分が個別に選択します</translation>
    </message>
    <message>
        <source>Newest training loss, nats per trained token</source>
        <translation>最新の学習損失（nat/学習トークン）</translation>
    </message>
    <message>
        <source>Newest loss on held-out rows, nats per token</source>
        <translation>検証用の行に対する最新の損失（nat/トークン）</translation>
    </message>
    <message>
        <source>Distance of the whole model from its pretrained weights, relative L2</source>
        <translation>事前学習済みの重みからのモデル全体の距離、相対 L2</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>α</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Eval</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>開始日時</translation>
    </message>
    <message>
        <source>P</source>
        <comment>mark of a pinned run</comment>
        <translation>固</translation>
    </message>
    <message>
        <source>B</source>
        <comment>mark of the baseline</comment>
        <translation>基</translation>
    </message>
    <message>
        <source>unreadable</source>
        <translation>読めません</translation>
    </message>
    <message>
        <source>The baseline: losses and drift of the others show their difference to it</source>
        <translation>基準：ほかの損失とドリフトにはこれとの差を表示します</translation>
    </message>
    <message>
        <source>Pinned: kept on top</source>
        <translation>固定：上に表示します</translation>
    </message>
    <message>
        <source>News: open the run to see what happened</source>
        <translation>新しい出来事があります。実行を開いて確かめてください</translation>
    </message>
    <message>
        <source>●: news, P: pinned, B: baseline</source>
        <translation>●: 新着、P: 固定、B: 基準</translation>
    </message>
    <message>
        <source>Runs that were made together; Enter compares them</source>
        <translation>一緒に作られた実行です。Enter で比べます</translation>
    </message>
</context>
<context>
    <name>mofo::RunTables</name>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Tables</source>
        <translation>表</translation>
    </message>
    <message>
        <source>&amp;1 %1</source>
        <translation>&amp;1 %1</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>&amp;2 %1</source>
        <translation>&amp;2 %1</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>出来事</translation>
    </message>
    <message>
        <source>&amp;3 %1</source>
        <translation>&amp;3 %1</translation>
    </message>
    <message>
        <source>Tensors</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>&amp;4 %1</source>
        <translation>&amp;4 %1</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>計算機</translation>
    </message>
    <message>
        <source>&amp;5 %1</source>
        <translation>&amp;5 %1</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>回答例</translation>
    </message>
    <message>
        <source>&amp;6 %1</source>
        <translation>&amp;6 %1</translation>
    </message>
    <message>
        <source>Config</source>
        <translation>設定値</translation>
    </message>
    <message>
        <source>&amp;7 %1</source>
        <translation>&amp;7 %1</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
    <message>
        <source>Find a tensor</source>
        <translation>テンソルを検索</translation>
    </message>
    <message>
        <source>No sample has been answered in this run. Fixed prompts are answered at each probe, and stand here side by side, step by step.</source>
        <translation>この実行にはまだ回答例がありません。決まった問いへの答えが、プローブのたびにステップごとに並びます。</translation>
    </message>
    <message>
        <source>Find a key</source>
        <translation>キーを検索</translation>
    </message>
    <message>
        <source>Log of the engine</source>
        <translation>エンジンのログ</translation>
    </message>
    <message>
        <source>Find in the log</source>
        <translation>ログ内を検索</translation>
    </message>
    <message>
        <source>Which lines of the log</source>
        <translation>ログのどの行</translation>
    </message>
    <message>
        <source>all lines</source>
        <translation>すべての行</translation>
    </message>
    <message>
        <source>warnings and errors</source>
        <translation>警告とエラー</translation>
    </message>
    <message>
        <source>The engine has written nothing to its log.</source>
        <translation>エンジンはログに何も書いていません。</translation>
    </message>
    <message>
        <source>No line of the log matches.</source>
        <translation>一致するログの行がありません。</translation>
    </message>
</context>
<context>
    <name>mofo::RunsPage</name>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Find runs</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Number of runs</source>
        <translation>実行の数</translation>
    </message>
    <message>
        <source>Clear filter</source>
        <translation>フィルターを解除</translation>
    </message>
    <message>
        <source>Runs: %1</source>
        <translation>実行: %1 件</translation>
    </message>
    <message>
        <source>%1 of %2 runs</source>
        <translation>実行: %2 件中 %1 件</translation>
    </message>
    <message>
        <source>No run matches “%1”.</source>
        <translation>「%1」に一致する実行はありません。</translation>
    </message>
    <message>
        <source>Find: words, or state:running alpha:&lt;20% loss:&gt;1.5 tag:paper is:pinned</source>
        <translation>検索：語、または state:running alpha:&lt;20% loss:&gt;1.5 tag:paper is:pinned</translation>
    </message>
    <message>
        <source>Words of name, state, model, tags or note; or KEY:VALUE with &lt;, &gt;, &lt;=, &gt;= for numbers.
Keys: %1</source>
        <translation>名前・状態・モデル・タグ・メモの語、または KEY:VALUE（数値は &lt;、&gt;、&lt;=、&gt;=）。
キー：%1</translation>
    </message>
    <message>
        <source>Compare the selected runs</source>
        <translation>選択した実行を比較</translation>
    </message>
    <message>
        <source>This workspace cannot be opened</source>
        <translation>このワークスペースは開けません</translation>
    </message>
    <message>
        <source>Why the workspace cannot be opened</source>
        <translation>ワークスペースを開けない理由</translation>
    </message>
    <message>
        <source>Choose another…</source>
        <translation>別のものを選ぶ…</translation>
    </message>
    <message>
        <source>Choose another workspace</source>
        <translation>別のワークスペースを選ぶ</translation>
    </message>
    <message>
        <source>Rename the run</source>
        <translation>実行の名前を変える</translation>
    </message>
    <message>
        <source>Notes and tags of the run</source>
        <translation>実行のメモとタグ</translation>
    </message>
    <message>
        <source>Pin the run, or not</source>
        <translation>実行を固定・解除</translation>
    </message>
    <message>
        <source>Make the run the baseline, or not</source>
        <translation>実行を基準に・解除</translation>
    </message>
    <message>
        <source>Move the run to the trash</source>
        <translation>実行をゴミ箱へ</translation>
    </message>
    <message>
        <source>Queue: one place forward</source>
        <translation>キュー：一つ前へ</translation>
    </message>
    <message>
        <source>Queue: one place back</source>
        <translation>キュー：一つ後へ</translation>
    </message>
    <message>
        <source>Copy the selected rows</source>
        <translation>選択した行をコピー</translation>
    </message>
    <message>
        <source>Compare %1 selected</source>
        <translation>選択した %1 件を比較</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>比較</translation>
    </message>
    <message>
        <source>Ctrl+Return</source>
        <translation>Ctrl+Return</translation>
    </message>
    <message>
        <source>Select two runs or more: Space, or Ctrl and click</source>
        <translation>2 つ以上選択：スペース、または Ctrl とクリック</translation>
    </message>
</context>
<context>
    <name>mofo::SampleTableModel</name>
    <message>
        <source>Prompt</source>
        <translation>問い</translation>
    </message>
    <message>
        <source>Base model</source>
        <translation>ベースモデル</translation>
    </message>
    <message>
        <source>Step %1</source>
        <translation>ステップ %1</translation>
    </message>
</context>
<context>
    <name>mofo::Sparkline</name>
    <message>
        <source>no values</source>
        <translation>値なし</translation>
    </message>
    <message>
        <source>newest %1</source>
        <translation>最新 %1</translation>
    </message>
</context>
<context>
    <name>mofo::StatusLine</name>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 トークン/秒</translation>
    </message>
    <message>
        <source>Time left</source>
        <translation>残り時間</translation>
    </message>
    <message>
        <source>%1 left, %2</source>
        <comment>duration, time of day</comment>
        <translation>残り %1、%2</translation>
    </message>
    <message>
        <source>Memory of this machine</source>
        <translation>このマシンのメモリ</translation>
    </message>
    <message>
        <source>RAM %1 / %2 GiB</source>
        <translation>RAM %1 / %2 GiB</translation>
    </message>
    <message>
        <source>Free disk</source>
        <translation>ディスクの空き</translation>
    </message>
    <message>
        <source>disk %1</source>
        <translation>ディスク %1</translation>
    </message>
    <message>
        <source>Age of the newest news</source>
        <translation>最新の知らせからの時間</translation>
    </message>
    <message>
        <source>⚠ no news for %1</source>
        <translation>⚠ %1 知らせなし</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>ワークスペース</translation>
    </message>
    <message>
        <source>Tasks</source>
        <translation>タスク</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>通知</translation>
    </message>
    <message>
        <source>tasks %1</source>
        <translation>タスク %1</translation>
    </message>
    <message>
        <source>news %1</source>
        <translation>通知 %1</translation>
    </message>
    <message>
        <source>No run shown</source>
        <translation>表示中の実行なし</translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <comment>state, step, steps in all</comment>
        <translation>%1 %2 / %3</translation>
    </message>
    <message>
        <source>Trained tokens per second, mean of the last 30 s of training</source>
        <translation>1 秒あたりの学習トークン（学習の直近 30 秒の平均）</translation>
    </message>
    <message>
        <source>-- left</source>
        <comment>time left is not known yet</comment>
        <translation>残り --</translation>
    </message>
    <message>
        <source>newest %1 ago</source>
        <translation>最新 %1 前</translation>
    </message>
    <message>
        <source>Load, temperature and power of the device</source>
        <translation>デバイスの負荷、温度、電力</translation>
    </message>
    <message>
        <source>Memory of the device</source>
        <translation>デバイスのメモリ</translation>
    </message>
    <message>
        <source>VRAM %1 / %2 GiB</source>
        <translation>VRAM %1 / %2 GiB</translation>
    </message>
    <message>
        <source>Load, temperature and power of the device, as the engine last read them</source>
        <translation>エンジンが最後に読んだデバイスの負荷、温度、電力</translation>
    </message>
    <message>
        <source>Memory of the device in use and in all; by this run: %1 GiB</source>
        <translation>デバイスの使用中のメモリと全体。この実行の分: %1 GiB</translation>
    </message>
</context>
<context>
    <name>mofo::StepPanel</name>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Moved share and drift by tensor kind</source>
        <translation>テンソルの種類別の更新率とドリフト</translation>
    </message>
    <message>
        <source>Tensors that drifted most</source>
        <translation>ドリフトが大きいテンソル</translation>
    </message>
    <message>
        <source>No step yet</source>
        <translation>ステップはまだありません</translation>
    </message>
    <message>
        <source>At step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>At step %1 (newest)</source>
        <translation>ステップ %1（最新）</translation>
    </message>
    <message>
        <source>First statistics after step 1</source>
        <translation>最初の統計はステップ 1 の後に表示されます</translation>
    </message>
    <message>
        <source>Statistics of this step</source>
        <translation>このステップの統計</translation>
    </message>
    <message>
        <source>Statistics of step %1, the nearest measured</source>
        <translation>最も近い測定、ステップ %1 の統計</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Nats per trained token</source>
        <translation>nat/学習トークン</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>gradient norm</source>
        <translation>勾配ノルム</translation>
    </message>
    <message>
        <source>L2 before clipping</source>
        <translation>クリッピング前の L2</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <comment>moved share of all parameters</comment>
        <translation>%2 中 %1</translation>
    </message>
    <message>
        <source>moved</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Coordinates that this step changed: selected, and momentum not zero</source>
        <translation>このステップで変化した座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the filtered tensors</source>
        <translation>選択された |モメンタム| の最小値（フィルター対象テンソルの中央値）</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>累積更新</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択されたフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Relative L2 distance of the whole model from its pretrained weights</source>
        <translation>事前学習済みの重みからのモデル全体の相対 L2 距離</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>動いた割合</translation>
    </message>
    <message>
        <source>What the bars are of</source>
        <translation>棒の単位</translation>
    </message>
    <message>
        <source>by kind</source>
        <translation>種類別</translation>
    </message>
    <message>
        <source>by layer</source>
        <translation>層別</translation>
    </message>
    <message>
        <source>|m| of the filtered tensors</source>
        <translation>選別対象テンソルの |m|</translation>
    </message>
    <message>
        <source>Dashed line: α = %1 as asked. Hatched: not filtered. ◌: idle rows.</source>
        <translation>破線: 指定した α = %1。斜線: 選別対象外。◌: 動かない行あり。</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>No histogram of |m| is stored for this step</source>
        <translation>このステップの |m| のヒストグラムはありません</translation>
    </message>
    <message>
        <source>Thresholds of the partitions: least %1, quartiles %2 and %3, greatest %4</source>
        <translation>区画のしきい値: 最小 %1、四分位 %2 と %3、最大 %4</translation>
    </message>
</context>
<context>
    <name>mofo::TasksPopover</name>
    <message>
        <source>Tasks</source>
        <translation>タスク</translation>
    </message>
    <message>
        <source>Nothing is being done beside training.</source>
        <translation>学習のほかに進行中のものはありません。</translation>
    </message>
    <message>
        <source>, %1 left</source>
        <translation>、残り %1</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取り消す</translation>
    </message>
    <message>
        <source>Cancel: %1</source>
        <translation>取り消す：%1</translation>
    </message>
</context>
<context>
    <name>mofo::TensorTableModel</name>
    <message>
        <source>Coordinates that moved at this step: selected, and momentum not zero</source>
        <translation>このステップで更新された座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the tensor&apos;s parts</source>
        <translation>選択された |モメンタム| の最小値（テンソルの各部分の中央値）</translation>
    </message>
    <message>
        <source>‖p − p₀‖ / ‖p₀‖: distance from the pretrained weights</source>
        <translation>‖p − p₀‖ / ‖p₀‖: 事前学習済みの重みからの距離</translation>
    </message>
    <message>
        <source>Largest change of one coordinate since the pretrained weights</source>
        <translation>事前学習済みの重みからの、1 座標の最大変化量</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>Share of the coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択された座標の割合</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>層</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Largest change</source>
        <translation>最大変化</translation>
    </message>
    <message>
        <source>Churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Ever moved</source>
        <translation>累積更新</translation>
    </message>
    <message>
        <source>Coordinates that the mask selected, whether or not their momentum was zero</source>
        <translation>マスクが選んだ座標 (モメンタムが 0 のものも含む)</translation>
    </message>
    <message>
        <source>Drift over the whole run</source>
        <translation>実行全体のドリフト</translation>
    </message>
    <message>
        <source>Coordinates that differ from the pretrained weights in fp32</source>
        <translation>fp32 で事前学習の重みと異なる座標</translation>
    </message>
    <message>
        <source>Coordinates that still differ after rounding to bf16</source>
        <translation>bf16 に丸めても異なる座標</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>マスク</translation>
    </message>
    <message>
        <source>Drift, trend</source>
        <translation>ドリフトの推移</translation>
    </message>
    <message>
        <source>Changed, fp32</source>
        <translation>変化、fp32</translation>
    </message>
    <message>
        <source>Changed, bf16</source>
        <translation>変化、bf16</translation>
    </message>
</context>
<context>
    <name>mofo::Toast</name>
    <message>
        <source>Done</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
</context>
<context>
    <name>mofo::TokenView</name>
    <message>
        <source>Tokens of the row</source>
        <translation>行のトークン</translation>
    </message>
    <message>
        <source>%1 tokens, %2 of them trained on</source>
        <translation>%1 トークン、うち学習 %2</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>切り捨て</translation>
    </message>
    <message>
        <source>trained on</source>
        <translation>学習する</translation>
    </message>
    <message>
        <source>not trained on</source>
        <translation>学習しない</translation>
    </message>
    <message>
        <source>token %1: id %2, “%3”, %4</source>
        <comment>index, id, piece, use</comment>
        <translation>トークン %1：id %2、「%3」、%4</translation>
    </message>
</context>
<context>
    <name>mofo::WhatIfCard</name>
    <message>
        <source>What if</source>
        <translation>もし適用したら</translation>
    </message>
    <message>
        <source>What if (estimate)</source>
        <translation>もし適用したら (推定)</translation>
    </message>
    <message>
        <source>What the staged change would select</source>
        <translation>準備中の変更で選ばれるもの</translation>
    </message>
    <message>
        <source>Reading the histograms of step %1 …</source>
        <translation>ステップ %1 のヒストグラムを読み込み中…</translation>
    </message>
    <message>
        <source>No histograms of |m| are stored for step %1: nothing can be estimated.</source>
        <translation>ステップ %1 には |m| のヒストグラムがなく、推定できません。</translation>
    </message>
    <message>
        <source>At %1, by %2: %3 of |m| kept, was %4. Threshold %5, was %6.</source>
        <translation>%1、%2 では |m| の %3 が残ります (今は %4)。しきい値 %5 (今は %6)。</translation>
    </message>
    <message>
        <source>From the histograms of step %1.</source>
        <translation>ステップ %1 のヒストグラムより。</translation>
    </message>
    <message>
        <source>Tensors that would not move: %1.</source>
        <translation>動かないテンソル: %1 個。</translation>
    </message>
    <message>
        <source>The histograms know no parts of a tensor: taken as granularity tensor.</source>
        <translation>ヒストグラムはテンソルの内部の区分を持たないため、粒度「テンソル」として見積もっています。</translation>
    </message>
</context>
</TS>
